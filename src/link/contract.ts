/**
 * The contract control ⇄ edge, versioned. Desired state goes down as one HTTP stream of NDJSON frames, facts come up as
 * small POSTs. The same over a Unix socket on one machine and over TLS between machines. Types and paths only; what reports say
 * is in domain/fact.
 */
import type { Ack } from '../domain/fact/ack.ts';
import type { OthersVerdict } from '../domain/fact/health.ts';
import type { ConnectionRecord, CounterReport } from '../domain/fact/fact.ts';

/** not: raised for what an older end can do without. A new path is answered with 404, a new kind of frame is asked for by `takes`. */
export const LINK_VERSION = 1;
export const LINK_PATHS = {
  /**
   * GET, query `edge`, `site`, `version`, `from` (the revision the edge has; 0 = nothing) and `world` (of which world; empty =
   * none): the stream of frames. `takes`: kinds of frames that older edges do not know, by commas; none: absent. 400 where the
   * query can't be read, 503 where control is not ready yet.
   */
  watch: '/link/v1/watch',
  /** POST AckReport. 204; 409 where the report speaks of another world or of a revision that never was. */
  ack: '/link/v1/ack',
  /** POST Beat. 204. While an ack is on its way longer than a beat: the edge is there all the same. */
  beat: '/link/v1/beat',
  /** POST FactReport. 204. */
  facts: '/link/v1/facts',
  /** POST HealthReport (domain/fact/health.ts). 204; 404 where control is older than origins that are watched. */
  health: '/link/v1/health',
} as const;

/**
 * Milliseconds between beats, down and up. An edge that hears nothing for BEATS_MISSED of them takes the link for broken;
 * an edge that control does not hear for as long is silent (facts/acks/acks.ts).
 */
export const BEAT_MS = 2_000;
export const BEATS_MISSED = 3;

/** Down. A record's value of `null` means deleted. */
export type Frame =
  /** First: which control this is. A different `world` id means this is another world: the edge drops what it has. */
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
  | { readonly kind: 'beat'; readonly revision: number; readonly digest?: number }
  | VerdictsFrame;

/**
 * What other edges find of checks, as it changes. Not records: the latest one wins, a restart of control forgets them, and they
 * may come between any two frames. Sent to edges that take them.
 */
export interface VerdictsFrame {
  readonly kind: 'verdicts';
  /** Grows from frame to frame of one control. */
  readonly sequence: number;
  /** The first part of everything: what was told before counts no more, unless it comes again. */
  readonly whole: boolean;
  /** Edges of the site that are alive, among which probing is shared (edge/health/duty.ts). */
  readonly edges: readonly string[];
  readonly checks: readonly OthersVerdict[];
}

export interface FrameRecord {
  readonly key: string;
  readonly value: unknown;
  /** The revision that wrote it (stamps are resolved with it). */
  readonly revision: number;
}

/** Up, after each applied revision and on a fixed timer, which makes it a beat as well. */
export interface AckReport extends Ack {
  /** The world that `applied` counts in. */
  readonly world: string;
}

/** Up, every few seconds while there is something to tell. */
export interface FactReport extends CounterReport {
  readonly at: number;
  readonly records: readonly ConnectionRecord[];
}
