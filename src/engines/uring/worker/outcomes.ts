/**
 * How dials and sessions went, per target: counts in memory that all threads of the engine share. Workers count (tcp/, udp/),
 * the agent's thread takes what was counted (host/target-health.ts). A count is an atomic add and makes no object. It refuses
 * to judge: whether a target is down is for the edge to say.
 */
import { DIAL_OUTCOMES } from '../../../domain/fact/health.ts';
import type { DialOutcome } from '../../../domain/fact/health.ts';
import { END_CAUSES } from '../../../domain/fact/fact.ts';
import type { TargetOutcomes } from '../../engine.ts';
import { outcomeOf } from '../../flow/outcomes.ts';
import { MOST_TARGETS } from '../../flow/target-states.ts';
import type { RuleSpec } from './messages.ts';

/** DIAL_OUTCOMES by number. */
const KIND = Object.fromEntries(DIAL_OUTCOMES.map((kind, i) => [kind, i])) as Readonly<Record<DialOutcome, number>>;

/** Words of a target: the counts by kind; failures since the last success; whether a first one was told at once. */
const FAILED_IN_ROW = DIAL_OUTCOMES.length;
const WAS_TOLD = FAILED_IN_ROW + 1;
const WORDS = WAS_TOLD + 1;
/** Targets to a group: so many marks are looked at for one that is set. */
const GROUP = 256;

/** limit: 33 MiB of addresses; a page of them becomes memory when one of its 128 targets is counted. */
export function outcomeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * WORDS * MOST_TARGETS + MOST_TARGETS + MOST_TARGETS / GROUP + 1);
}

/** order: a writer counts, then marks upwards; a reader takes marks away downwards, then counts. So nothing is left unmarked. */
class Layout {
  readonly words: Int32Array;
  /** 1 where something was counted: of a target, in a group, anywhere. */
  readonly targets: Uint8Array;
  readonly groups: Uint8Array;
  readonly any: Uint8Array;

  constructor(memory: SharedArrayBuffer) {
    const marksAt = 4 * WORDS * MOST_TARGETS;
    const groups = MOST_TARGETS / GROUP;
    this.words = new Int32Array(memory, 0, WORDS * MOST_TARGETS);
    this.targets = new Uint8Array(memory, marksAt, MOST_TARGETS);
    this.groups = new Uint8Array(memory, marksAt + MOST_TARGETS, groups);
    this.any = new Uint8Array(memory, marksAt + MOST_TARGETS + groups, 1);
  }
}

/** Of one worker. Targets with a number beyond the table are not counted. */
export class OutcomeCounter {
  /** A target's first failure waits to be told; the worker's loop tells it, and sets this back. */
  isUrgent = false;
  readonly #at: Layout;

  constructor(memory: SharedArrayBuffer) {
    this.#at = new Layout(memory);
  }

  /** A connection was made, or a UDP origin has answered. */
  ok(target: number): void {
    if (target >= MOST_TARGETS) return;
    Atomics.store(this.#at.words, target * WORDS + FAILED_IN_ROW, 0);
    this.#count(target, KIND.ok);
  }

  /** `cause`: by number, of END_CAUSES; one that says nothing of the target is not counted. */
  failed(target: number, cause: number, { protocol, originPorts }: RuleSpec): void {
    const outcome = outcomeOf(END_CAUSES[cause]!, protocol, originPorts);
    if (outcome === undefined || target >= MOST_TARGETS) return;
    const { words } = this.#at;
    const row = target * WORDS;
    const isFirst = Atomics.add(words, row + FAILED_IN_ROW, 1) === 0;
    this.#count(target, KIND[outcome]);
    if (isFirst && Atomics.exchange(words, row + WAS_TOLD, 1) === 0) this.isUrgent = true;
  }

  #count(target: number, kind: number): void {
    const { words, targets, groups, any } = this.#at;
    Atomics.add(words, target * WORDS + kind, 1);
    mark(targets, target);
    mark(groups, Math.floor(target / GROUP));
    mark(any, 0);
  }
}

/** not: a store each time. Workers on other cores would lose what they have of its line. */
function mark(marks: Uint8Array, at: number): void {
  if (Atomics.load(marks, at) === 0) Atomics.store(marks, at, 1);
}

/** Of the agent's thread. */
export class OutcomeReader {
  readonly #at: Layout;

  constructor(memory: SharedArrayBuffer) {
    this.#at = new Layout(memory);
  }

  /**
   * What was counted since the last call. `isDue`: the time of a batch is over, so the next first failure is told at once
   * again; else one that alternates with successes would make a batch of each.
   */
  take(isDue: boolean): TargetOutcomes[] {
    const { targets, groups, any } = this.#at;
    const batch: TargetOutcomes[] = [];
    if (Atomics.exchange(any, 0, 0) === 0) return batch;
    for (let group = 0; group < groups.length; group++) {
      if (Atomics.load(groups, group) === 0 || Atomics.exchange(groups, group, 0) === 0) continue;
      for (let target = group * GROUP; target < (group + 1) * GROUP; target++)
        if (Atomics.exchange(targets, target, 0) === 1) batch.push(this.#takeOf(target, isDue));
    }
    return batch;
  }

  #takeOf(target: number, isDue: boolean): TargetOutcomes {
    const { words } = this.#at;
    const row = target * WORDS;
    const counts: Partial<Record<DialOutcome, number>> = {};
    for (const kind of DIAL_OUTCOMES) {
      const count = Atomics.exchange(words, row + KIND[kind], 0);
      if (count > 0) counts[kind] = count;
    }
    if (isDue) Atomics.store(words, row + WAS_TOLD, 0);
    return { target, counts, failedInRow: Atomics.load(words, row + FAILED_IN_ROW) };
  }
}
