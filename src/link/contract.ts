/**
 * The contract control ⇄ edge, versioned. Desired state goes down as one HTTP stream of NDJSON frames, facts come up as
 * small POSTs. The same over a Unix socket on one machine and over TLS between machines. Types and paths only.
 */
import type { ConnectionRecord, RuleCounterWire } from '../domain/fact/fact.ts';

export const LINK_VERSION = 1;
export const LINK_PATHS = {
  /**
   * GET, query `edge`, `site`, `version`, `from` (the revision the edge has; 0 = nothing) and `world` (of which world;
   * empty = none): the stream of frames. 400 where the query can't be read, 503 where control is not ready yet.
   */
  watch: '/link/v1/watch',
  /** POST AckReport. 204; 409 where the report speaks of another world or of a revision that never was. */
  ack: '/link/v1/ack',
  /** POST Beat. 204. While an ack is on its way longer than a beat: the edge is there all the same. */
  beat: '/link/v1/beat',
  /** POST FactReport. 204. */
  facts: '/link/v1/facts',
} as const;

/**
 * Milliseconds between beats, down and up. An edge that hears nothing for BEATS_MISSED of them takes the link for broken;
 * an edge that control does not hear for as long is silent (facts/acks.ts).
 */
export const BEAT_MS = 2_000;
export const BEATS_MISSED = 3;

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
  /** One revision, whole. Revisions that touch nothing an edge follows come too, with no changes. */
  | { readonly kind: 'batch'; readonly revision: number; readonly changes: readonly FrameRecord[] }
  /**
   * On a fixed timer, with the revision this stream has reached: silence means the link is broken. `digest` (where
   * control has one at hand) is of all records at that revision; an edge that has another one asks for everything.
   */
  | { readonly kind: 'beat'; readonly revision: number; readonly digest?: number };

export interface FrameRecord {
  readonly key: string;
  readonly value: unknown;
  /** The revision that wrote it (stamps are resolved with it). */
  readonly revision: number;
}

/** Up, where an ack can't be. */
export interface Beat {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
}

/** Up, after each applied revision and on a fixed timer, which makes it a beat as well. */
export interface AckReport {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
  /** The world that `applied` counts in. */
  readonly world: string;
  /** Everything up to here is applied, or listed as failed. 0 before anything is. */
  readonly applied: number;
  /** Rules and instances that could not be applied, all of them: this list replaces the previous one. */
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  /** Rules with names of origins that have no address so far, all of them; absent from an edge that does not tell. */
  readonly unresolved?: readonly { readonly id: string; readonly names: readonly string[] }[];
  /** Rules whose engine changed since the last report that was accepted; an empty engine means it has none any more. */
  readonly placed: readonly { readonly rule: string; readonly engine: string; readonly why: string }[];
  /** Forget what this edge said before about placements: `placed` starts from nothing. */
  readonly fresh: boolean;
  /** Every engine of this host and, where it can't be used, why. */
  readonly engines: readonly { readonly name: string; readonly unavailable?: string }[];
  /** What is wrong with the edge itself (disk full, damaged store …), one line each; empty while all is well. */
  readonly alarms: readonly string[];
  /** Entry addresses of its rules that are not on its machine. Absent in reports of older edges. */
  readonly lost?: readonly string[];
}

/** Up, every few seconds while there is something to tell. */
export interface FactReport {
  readonly edge: string;
  readonly at: number;
  /** Counters are absolute since the edge started; `epoch` changes when it restarts. */
  readonly epoch: string;
  /** The next process of this edge serves; this one tells what its last connections do. */
  readonly draining?: boolean;
  /** Of the rules that have changed since the last report that was accepted. */
  readonly counters: readonly RuleCounterWire[];
  /** Rules whose counters are gone for good, because the rule is. */
  readonly gone: readonly string[];
  readonly records: readonly ConnectionRecord[];
  /** Records that could not be kept since the last report. */
  readonly recordsLost: number;
}
