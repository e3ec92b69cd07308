/**
 * Bounds how much of its time the engine spends on looks through conntrack that changes ask for: such a look takes as long as
 * the table is wide, whatever it finds. One change is looked after at once; of thousands that come together, most wait for
 * the monitor's next check, which looks after all of them in one go. Pure but for its clock. Called by changes.ts, and by
 * origins.ts for looks through the table.
 */
import type { Clock } from '../../lib/clock.ts';

/** limit: one part of the time for looks, so many for all else; a look takes 3 ms where 262,144 buckets are. */
const REST = 9;

interface Throttle {
  /** Runs it, or gives undefined where it was too soon. */
  <T>(look: () => T): T | undefined;
}

export function createThrottle(clock: Pick<Clock, 'monotonic'>): Throttle {
  let next = -Infinity;
  return (look) => {
    const start = clock.monotonic();
    if (start < next) return undefined;
    const found = look();
    const end = clock.monotonic();
    next = end + (end - start) * REST;
    return found;
  };
}
