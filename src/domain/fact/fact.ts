/**
 * The words of what an edge sees, in which engines count and record it, files keep it and the link carries it: connections, how
 * they end, and every counter of a rule. From COUNTERS follow what engines count in (engines/flow/counters.ts, the rows of
 * the uring engine), how two counts add up, and what the link and kept files take for counters: beside this file a counter is
 * named only where it is counted and in its row of facts/metrics.ts. Pure. An edge's words about itself are in ack.ts.
 */
import { type Check, count, fields, optional, tableOf, word } from '../../lib/check.ts';
import type { Protocol } from '../l4-rule/modes.ts';

/**
 * Why a connection ended: the label of metrics and logs. Closed list; every engine uses these words. `loop`: its origin is a
 * listener of this edge. `denied`: policy refuses its origin's address. `no-source-port`: no port was left to dial from.
 * `unhealthy`: its origin was out of use, and its rule does not keep such connections. `unseen`: it ended while no process
 * looked on.
 */
export const END_CAUSES = [
  'client-closed',
  'origin-closed',
  'client-reset',
  'origin-reset',
  'origin-refused',
  'origin-timeout',
  'origin-unreachable',
  'no-origin',
  'no-source-port',
  'loop',
  'denied',
  'idle',
  'drained',
  'unhealthy',
  'limit',
  'evicted',
  'shutdown',
  'unseen',
  'error',
] as const;
export type EndCause = (typeof END_CAUSES)[number];

/** One TCP connection or UDP session: written at its end, and once a minute while it lives (`end` absent). */
export interface ConnectionRecord {
  readonly id: string;
  readonly rule: string;
  readonly proxy: string;
  readonly protocol: Protocol;
  readonly client: { readonly address: string; readonly port: number };
  readonly entry: { readonly address: string; readonly port: number };
  /** Absent where no origin was reached. */
  readonly origin?: { readonly address: string; readonly port: number };
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly at: number;
  /** Payload bytes since the previous record of this connection; in = from the client, out = to the client. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly end?: EndCause;
}

/**
 * Why a datagram was given up. `loop`, `denied`: as the causes that connections end with. `no-source-port`: the system had no
 * port left to send from. `limit`: too many sessions, or no descriptor left. `oversize`: would not fit a datagram with its
 * header. `short`: a reply too short for the header that the mode asks of it. `header`: a reply with another header than its
 * session's. `queue`: the system does not take more. `overflow`: a socket's buffer was full. `source`: came from port 0, where
 * no answer can be sent.
 * Why something had to wait. `wait-descriptors`: a connection, for the descriptor limit. `wait-source-ports`: a dial, because
 * all ports of ours that were tried towards its origin were in use; the system was asked for one. `wait-slots`: a connection,
 * for a slot of its worker. `wait-buffers`: a direction, for a buffer. `wait-pipes`: a big stream was copied for want of a pipe.
 */
const DROP_REASONS = [
  'no-origin',
  'loop',
  'denied',
  'no-source-port',
  'limit',
  'oversize',
  'short',
  'header',
  'queue',
  'overflow',
  'source',
  'wait-descriptors',
  'wait-source-ports',
  'wait-slots',
  'wait-buffers',
  'wait-pipes',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** One number, or one number for each of `words`. `rare`: absent until there is something to tell, then whole. */
export interface Counter {
  readonly words?: readonly string[];
  readonly rare?: true;
}

/** All count from the start of the engine and only grow, but for `active`. */
export const COUNTERS = {
  /** TCP connections and UDP sessions. */
  connections: {},
  /** Those that are open now. */
  active: {},
  /** Payload; in = from the client, out = to the client. order: the uring engine finds `out` beside `in`. */
  bytesIn: {},
  bytesOut: {},
  packetsIn: {},
  packetsOut: {},
  /** Datagrams and connections given up or made to wait. The guard adds reasons of its own (edge/guard). */
  dropped: { words: DROP_REASONS },
  /** How connections and sessions ended. */
  ends: { words: END_CAUSES },
  /** Connections without a record. `sampled`: not in the sample. `lost`: ended without being heard of. */
  unrecorded: { words: ['sampled', 'lost'], rare: true },
  /** UDP sessions that ended without a datagram from their origin. */
  unanswered: { rare: true },
  /** Of the packets, those that took the kernel engine's fast path. */
  fastPackets: { rare: true },
} as const satisfies Readonly<Record<string, Counter>>;

type Counters = typeof COUNTERS;
export type CounterName = keyof Counters;
export type RareCounter = { [N in CounterName]: Counters[N] extends { rare: true } ? N : never }[CounterName];
export type CommonCounter = Exclude<CounterName, RareCounter>;
/** The words of a counter that has some, else `never`. */
export type WordOf<N extends CounterName> = Counters[N] extends { words: readonly (infer W extends string)[] }
  ? W
  : never;

/** A table may have words that this version does not know: a newer edge tells them. */
type Told<N extends CounterName> = [WordOf<N>] extends [never] ? number : Readonly<Record<string, number>>;

/** The counters of one rule, of one engine, one edge or several processes of an edge. */
export type RuleCounters = { readonly [N in CommonCounter]: Told<N> } & { readonly [N in RareCounter]?: Told<N> };

/** As the link carries them and files keep them. */
export type CountersOfRule = RuleCounters & { readonly rule: string };

const CHECKS = Object.entries<Counter>(COUNTERS).map(([name, { words, rare }]): [string, Check] => {
  const form = words ? tableOf(count) : count;
  return [name, rare ? optional(form) : form];
});
/** Whether a value that was read has the form of CountersOfRule. */
export const isCountersOfRule: Check = fields({ rule: word, ...Object.fromEntries(CHECKS) });

/** The counters of one process of an edge, as far as they changed since its last report. */
export interface CounterReport {
  readonly edge: string;
  /** Names the process: counters are absolute since it started. */
  readonly epoch: string;
  /** The next process of this edge serves; this one tells what its last connections do. */
  readonly draining?: boolean;
  /** Of the rules that have changed since the last report that was accepted. */
  readonly counters: readonly CountersOfRule[];
  /** Rules whose counters are gone for good, because the rule is. */
  readonly gone: readonly string[];
  /** Connection records that could not be kept since the last report. */
  readonly recordsLost: number;
}
