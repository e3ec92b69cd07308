/**
 * The words of what an edge knows about its origins: whether one gets connections, how a dial ended, what a probe found. The
 * same words in engines, in edge/health and in what an edge reports. Types and lists alone.
 */

/** `down`: nothing new while another origin is up. `try`: one connection; its outcome decides. */
export const ORIGIN_STATES = ['up', 'down', 'try'] as const;
export type OriginState = (typeof ORIGIN_STATES)[number];

/**
 * How a dial ended, for its origin. `reset`: before the first byte of an answer. `port-unreachable`: what UDP hears where
 * no program listens. not: resets by clients, and silence after data; neither is the origin's fault for certain.
 */
export const DIAL_OUTCOMES = ['ok', 'refused', 'timed-out', 'unreachable', 'reset', 'port-unreachable'] as const;
export type DialOutcome = (typeof DIAL_OUTCOMES)[number];
/** How many dials ended so. */
export type DialCounts = Readonly<Partial<Record<DialOutcome, number>>>;

/** `unknown`: the probe could not tell, so that it is a word neither for nor against the origin. */
export const PROBE_VERDICTS = ['healthy', 'unhealthy', 'unknown'] as const;
export interface ProbeResult {
  readonly verdict: (typeof PROBE_VERDICTS)[number];
  /** A line in words, for an operator. */
  readonly reason: string;
}

/** The origins of one edge, whole: it replaces what was told before. */
export interface HealthReport {
  /** Those that have been out of use since the edge's process began, as `TCP 198.51.100.1:443`. */
  readonly origins: readonly { readonly origin: string; readonly isUp: boolean; readonly changes: number }[];
  /** Rules all of whose origins are down, so that they are used as if all were up. */
  readonly failOpen: number;
}
