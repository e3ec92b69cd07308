/**
 * The words of an edge about itself: that it is there, how far it has applied the desired state, what it could not apply and where
 * each rule is placed. The same words in the edge, on the link and in facts/acks. Types, and the one check that link and kept
 * file share.
 */
import { type Check, fields, listOf, text, word } from '../../lib/check.ts';

/** The edge is there. */
export interface Beat {
  readonly edge: string;
  readonly site: string;
  readonly version: string;
}

/** A rule or an instance that could not be applied. */
export interface Failure {
  readonly id: string;
  readonly reason: string;
}

export const areFailures: Check = listOf(
  fields({ id: word, reason: text } satisfies Readonly<Record<keyof Failure, Check>>),
);

/** An engine of the edge's host and, where it can't be used, why. */
export interface EngineState {
  readonly name: string;
  readonly unavailable?: string;
}

/** A whole report, but for placements, which are told as they change. */
export interface Ack extends Beat {
  /** Everything up to this revision is applied, or listed as failed. 0 before anything is. */
  readonly applied: number;
  /** All of them: this list replaces the previous one. */
  readonly failed: readonly Failure[];
  /** Rules with names of origins that have no address so far, all of them; absent from an edge that does not tell. */
  readonly unresolved?: readonly { readonly id: string; readonly names: readonly string[] }[];
  /** Rules whose engine changed since the last report that was accepted; an empty engine means it has none any more. */
  readonly placed: readonly { readonly rule: string; readonly engine: string; readonly why: string }[];
  /** Forget what this edge said before about placements: `placed` starts from nothing. */
  readonly fresh: boolean;
  readonly engines: readonly EngineState[];
  /** Troubles of the edge itself (disk full, damaged store …), one line each; empty while all is well. */
  readonly alarms: readonly string[];
  /** Entry addresses of its rules that are not on its machine. Absent in reports of older edges. */
  readonly lost?: readonly string[];
}
