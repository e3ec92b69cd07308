/** How often a connection whose dial has failed tries another origin. Pure; the dials of both relays ask it. */

/** limit: origins that let a dial time out, of one connection; design §5. */
const MOST_TIMEOUTS = 3;

/**
 * A refusal costs nothing, so refusals end by the number of origins, or by time: `spentMs` is how long the connection has
 * dialled since its first dial or its last time-out.
 */
export function mayTryNext(timeouts: number, spentMs: number, connectTimeoutMs: number): boolean {
  return timeouts < MOST_TIMEOUTS && spentMs < connectTimeoutMs;
}
