/**
 * The words of what an edge knows about its origins: whether one gets connections, how a dial ended, what a probe found. The
 * same words in engines, in edge/health and in what an edge reports. Types and lists, and how edges and control name a check.
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

/**
 * What the probes of one edge say of an origin, for the rule, balancer or group that asks (`owner`). `check`: of its settings;
 * with the address it names the same probes on every edge. `group`, `host`: as the records name them; '' for no group.
 */
export interface CheckFact extends ProbeResult {
  readonly owner: string;
  readonly group: string;
  readonly host: string;
  readonly address: string;
  readonly check: string;
}

/** The same probes on every edge have the same name. `settings`: the key of the check's settings. */
export function checkName(address: string, settings: string): string {
  return `${address} ${settings}`;
}

/**
 * What other edges find of a check, as control tells an edge: `check` is its name. `fleet`: more
 * than half of several sites find it ill, whatever the edge's own finds; or its site does not know. `site`: what its site finds.
 * `unknown`: by the site, its edges can't tell; by the fleet, nobody says anything.
 */
export interface OthersVerdict {
  readonly check: string;
  readonly verdict: ProbeResult['verdict'];
  readonly by: 'site' | 'fleet';
}

/** Whose word an origin's state is: that of its check, of dials, of a person, or of the probes of other edges. */
export const STATE_CAUSES = ['probe', 'traffic', 'operator', 'fleet'] as const;
export type StateCause = (typeof STATE_CAUSES)[number];

/** An origin as rules of one edge use it. */
export interface OriginFact {
  /** The same over restarts of the edge, and no other origin's; not for reading. */
  readonly key: string;
  /** Its rules are of this one. */
  readonly zone: string;
  /** `TCP 198.51.100.1:443`. */
  readonly origin: string;
  /** As the records name it. */
  readonly host: string;
  /** '' where the rule itself names it. */
  readonly group: string;
  /** The rule, balancer or group that has it checked; '' where none does. */
  readonly check: string;
  /** As its rules have these options: whether dials that fail count, and how slowly it comes back. */
  readonly passive: boolean;
  readonly slowStartSeconds: number;
  readonly state: OriginState;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly by: StateCause;
  readonly reason: string;
  /** How often it went out of use or came back since the edge's process began. */
  readonly changes: number;
  readonly rules: number;
  /** Those that went well, since the edge's process began. */
  readonly dials: number;
  /** Of its probes so far: how long they took. */
  readonly probe?: { readonly p50Ms: number; readonly p99Ms: number; readonly tries: number };
}

/** limit: what /metrics shows of times; of the last bucket there is no bound. */
export const TIME_BOUNDS_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000] as const;

/** How long something took since the edge's process began: how often up to each of TIME_BOUNDS_MS, then beyond. */
export interface Times {
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** `probe`: one probe. `lag`: from when it was due to its start. `flip`: from a new state until engines obeyed. */
export interface HealthTimes {
  readonly probe: Times;
  readonly lag: Times;
  readonly flip: Times;
}

/** What is different since the last report that was accepted; or a part of everything. */
export interface HealthReport {
  readonly edge: string;
  readonly site: string;
  /** Parts of everything, counted from 0: with the last of them, what none of them names is gone. */
  readonly whole?: { readonly part: number; readonly isLast: boolean };
  readonly checks: readonly CheckFact[];
  readonly origins: readonly OriginFact[];
  readonly gone: { readonly checks: readonly CheckId[]; readonly origins: readonly OriginFact['key'][] };
  /** Rules all of whose origins are down, so that they are used as if all were up. */
  readonly failOpen: number;
  readonly times: HealthTimes;
}
export type CheckId = Omit<CheckFact, keyof ProbeResult>;
