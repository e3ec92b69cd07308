/**
 * The schedule of a rule's targets, the same for all workers: one period of flow/pick.ts, written down, and one shared place
 * in it per tier. So the shares are exact over the whole machine, and a choice is one atomic add. Written down on the agent's
 * thread, read by every worker (targets.ts). It refuses to know why a target is passed over.
 */
import { createPicker } from '../../flow/pick.ts';
import type { Target } from '../../engine.ts';

/** The targets of a rule, tier by tier, lowest first; a turn holds positions in the rule's list of targets. */
export type Turns = readonly Uint16Array[];

/** Says of a position whether its target can have what is to be given, and takes it. */
export interface Candidates {
  may(position: number): boolean;
  /** Its turn is one that it takes; one that starts slowly leaves most of them to those that are whole. */
  admits(position: number): boolean;
  isWhole(position: number): boolean;
  /** False: it may not, or another worker was first where only one may. */
  takes(position: number): boolean;
}

/** limit: 64 targets with weights to 1,000 fit; beyond it the shares are those of the first turns, close but not exact. */
const LONGEST_TURN = 65_536;
/** limit: tiers have a place of their own up to here; those beyond share the last one, which may favour some of theirs. */
const PLACES = 8;

export function turnsOf(targets: readonly Target[]): Turns {
  const position = new Map(targets.map((target, i) => [target, i]));
  const tiers = [...new Set(targets.map((target) => target.tier))].sort((a, b) => a - b);
  return tiers.flatMap((tier) => {
    const members = targets.filter((target) => target.tier === tier && target.weight > 0);
    if (members.length === 0) return [];
    const weights = members.map((target) => target.weight);
    const length = Math.min(LONGEST_TURN, sum(weights) / weights.reduce(divisor));
    const picker = createPicker();
    picker.update(members);
    return [Uint16Array.from({ length }, () => position.get(picker.next()!)!)];
  });
}

/** The places in a rule's turns: the choices so far, of all workers. */
export function placeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * PLACES);
}

export class Schedule {
  readonly #turns: Turns;
  /** The positions of each turn, each once. */
  readonly #members: readonly Uint16Array[];
  readonly #places: Int32Array;

  constructor(turns: Turns, places: SharedArrayBuffer) {
    this.#turns = turns;
    this.#members = turns.map((turn) => Uint16Array.from(new Set(turn)));
    this.#places = new Int32Array(places);
  }

  /** The position whose turn it is, of those in the lowest tier that has any that may; −1: there is none. */
  next(among: Candidates): number {
    for (let tier = 0; tier < this.#turns.length; tier++) {
      // order: before a turn is used up. A choice that uses up two of them would always meet the same target of a pair.
      if (this.#firstOf(tier, 0, among) < 0) continue;
      const position = this.#turn(tier);
      if (this.#hasTurn(tier, position, among) && among.takes(position)) return position;
      const other = this.#passOn(tier, among);
      if (other >= 0) return other;
    }
    return -1;
  }

  /**
   * The next turn of a target that takes it. Those passed over use up theirs: then the others keep their shares of each other,
   * while a look along the turn would give each missing share to the one that follows.
   */
  #passOn(tier: number, among: Candidates): number {
    const members = this.#members[tier]!;
    const only = this.#firstOf(tier, 0, among);
    if (only < 0) return -1;
    // limit: a lone target with a small weight is not searched for through a long turn.
    const isLone = this.#firstOf(tier, members.indexOf(only) + 1, among) < 0;
    for (let i = 1; !isLone && i < this.#turns[tier]!.length; i++) {
      const position = this.#turn(tier);
      if (this.#hasTurn(tier, position, among) && among.takes(position)) return position;
    }
    // Also where other workers have had all the turns of those that may.
    for (let i = 0; i < members.length; i++) if (among.takes(members[i]!)) return members[i]!;
    return -1;
  }

  /** A turn that nobody whole can have instead is for the one that it came to. */
  #hasTurn(tier: number, position: number, among: Candidates): boolean {
    if (among.admits(position)) return true;
    const members = this.#members[tier]!;
    for (let i = 0; i < members.length; i++) if (among.isWhole(members[i]!) && among.may(members[i]!)) return false;
    return true;
  }

  /** Uses up a turn of the tier. */
  #turn(tier: number): number {
    const turn = this.#turns[tier]!;
    const place = Math.min(tier, this.#places.length - 1);
    return turn[(Atomics.add(this.#places, place, 1) >>> 0) % turn.length]!;
  }

  /** The tier's first position that may, from its member number `from`; −1: none. */
  #firstOf(tier: number, from: number, among: Candidates): number {
    const members = this.#members[tier]!;
    for (let i = from; i < members.length; i++) if (among.may(members[i]!)) return members[i]!;
    return -1;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function divisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
