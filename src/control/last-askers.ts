/**
 * The last wait of a port that another process serves too: clients that have connected to this one say what they want and
 * are answered before it closes their connections. Called by the ports of control (http/, dns/).
 */
import type { Clock } from '../lib/clock.ts';

/** limit: what a client has to say what it wants, on a busy machine too. Askers of the next process wait as long. */
const MOST_MS = 5_000;
const POLL_MS = 10;

export async function lastAskers(clock: Pick<Clock, 'monotonic' | 'sleep'>, areThere: () => boolean): Promise<void> {
  const end = clock.monotonic() + MOST_MS;
  while (areThere() && clock.monotonic() < end) await clock.sleep(POLL_MS);
}
