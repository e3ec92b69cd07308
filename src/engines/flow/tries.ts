/** How often a connection whose dial has failed tries another origin. Pure; the dials of both relays ask it. */
import { MOST_TIMEOUTS } from './behaviour.ts';

/**
 * A refusal costs nothing, so refusals end by the number of origins, or by time: `spentMs` is how long the connection has
 * dialled since its first dial or its last time-out.
 */
export function mayTryNext(timeouts: number, spentMs: number, connectTimeoutMs: number): boolean {
  return timeouts < MOST_TIMEOUTS && spentMs < connectTimeoutMs;
}
