/**
 * Keeps this process from ending by itself before the work is done: Node ends when nothing but waiting is left, and our
 * timers don't count. Used by the supervisor and by roles.
 */
import { systemClock } from '../../lib/clock.ts';

const DAY_MS = 86_400_000;

export async function stay<T>(work: Promise<T>): Promise<T> {
  const done = new AbortController();
  void wait(done.signal);
  return work.finally(() => done.abort());
}

async function wait(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await systemClock.sleep(DAY_MS, signal);
}
