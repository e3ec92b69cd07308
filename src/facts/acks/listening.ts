/**
 * Time during which this process could hear others: monotonic milliseconds without the stretches in which it was stopped
 * or busy with one thing: what a peer said meanwhile could not be heard, and is not held against it. Made by acks.ts.
 */
import type { Clock } from '../../lib/clock.ts';

export interface Listening {
  /** Only differences mean anything. */
  now(): number;
  close(): void;
}

const LOOK_MS = 500;
/** limit: a loop on a busy machine comes round this late now and then; later than this it was not listening. */
const LATE_MS = 1_000;

export function openListening(clock: Clock): Listening {
  let total = 0;
  let last = clock.monotonic();
  function now(): number {
    const at = clock.monotonic();
    total += Math.min(at - last, LATE_MS);
    last = at;
    return total;
  }
  const timer = clock.every(LOOK_MS, now);
  return { now, close: () => timer.cancel() };
}
