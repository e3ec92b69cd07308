/**
 * The contract control ⇄ edge, versioned. Desired state goes down as one HTTP stream of NDJSON frames, facts come up as
 * small POSTs. The same over a Unix socket on one machine and over TLS between machines. Types and paths only.
 */
import type { ConnectionRecord, RuleCounterWire } from './facts.ts';

export const LINK_VERSION = 1;
export const LINK_PATHS = {
  /** GET, query `edge`, `site`, `version`, `from`: the stream of frames. */
  watch: '/link/v1/watch',
  /** POST AckReport. */
  ack: '/link/v1/ack',
  /** POST FactReport. */
  facts: '/link/v1/facts',
} as const;

/** Down. A record's value of `null` means deleted. */
export type Frame =
  /** First: who control is. A different `world` id means this is another world: the edge drops what it has. */
  | { readonly kind: 'hello'; readonly link: number; readonly version: string; readonly world: string }
  /** A full world, in parts: what the edge has is replaced when `done` arrives. */
  | {
      readonly kind: 'snapshot';
      readonly revision: number;
      readonly records: readonly FrameRecord[];
      readonly done: boolean;
    }
  | { readonly kind: 'batch'; readonly revision: number; readonly changes: readonly FrameRecord[] }
  /** On a fixed timer, with the current revision: silence means the link is broken. */
  | { readonly kind: 'beat'; readonly revision: number };

export interface FrameRecord {
  readonly key: string;
  readonly value: unknown;
  /** The revision that wrote it (stamps are resolved with it). */
  readonly revision: number;
}

/** Up, after each applied revision and on a fixed timer. */
export interface AckReport {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
  /** Everything up to here is applied, or listed as failed. */
  readonly applied: number;
  /** Rules and instances that could not be applied, all of them: this list replaces the previous one. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  /** Rules whose engine changed since the last report that was accepted. */
  readonly placed: readonly { readonly rule: string; readonly engine: string; readonly why: string }[];
  /** Every engine of this host and, where it can't be used, why. */
  readonly engines: readonly { readonly name: string; readonly unavailable?: string }[];
}

/** Up, every few seconds while there is something to tell. */
export interface FactReport {
  readonly edge: string;
  readonly at: number;
  /** Absolute counters per rule since the edge started; `epoch` changes when it restarts. */
  readonly epoch: string;
  readonly counters: readonly RuleCounterWire[];
  readonly records: readonly ConnectionRecord[];
  /** Records that could not be kept since the last report. */
  readonly recordsLost: number;
}
