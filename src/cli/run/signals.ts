/**
 * The signals that ask a process to end: the first asks, a later one insists. Knows nothing of what either does. Called
 * by the supervisor and by roles that run alone.
 */
import type { Clock } from '../../lib/clock.ts';

/**
 * limit: npm passes on the Ctrl-C that a terminal has sent to the whole group already; a person who presses it twice
 * takes longer, and one who does not is told that once more is needed.
 */
const SAME_WITHIN_MS = 500;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Returns what ends the hearing. */
export function onSignals(clock: Pick<Clock, 'monotonic'>, ask: () => void, insist: () => void): () => void {
  let askedAt: number | undefined;
  function onSignal(): void {
    const now = clock.monotonic();
    if (askedAt === undefined) {
      askedAt = now;
      ask();
    } else if (now - askedAt >= SAME_WITHIN_MS) insist();
  }
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
