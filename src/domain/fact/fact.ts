/** What an edge saw, as it travels on the link. The engine door uses the same types, so nothing is translated. */
import type { Protocol } from '../l4-rule/modes.ts';

/**
 * Why a connection ended: the label of metrics and logs. Closed list; every engine uses these words. `loop`: its origin is a
 * listener of this edge. `denied`: policy refuses its origin's address. `no-source-port`: no port was left to dial from.
 * `unseen`: it is gone, and nobody was there to see how.
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

/** Counters of one rule since the engine started; they only grow, but for `active`. */
export interface RuleCounters {
  readonly connections: number;
  readonly active: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  /** Datagrams or connections given up, by reason word. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly ends: Readonly<Partial<Record<EndCause, number>>>;
  /** Connections without a record, by why: `sampled`, not in the sample; `lost`, ended without being heard of. */
  readonly unrecorded?: Readonly<Record<string, number>>;
  /** UDP sessions that ended without a datagram from their origin. */
  readonly unanswered?: number;
  /** Of the packets, those that took the kernel engine's fast path. */
  readonly fastPackets?: number;
}

export interface RuleCounterWire extends RuleCounters {
  readonly rule: string;
}
