/**
 * What a connection mark says: that the connection is ours, of which rule, towards which target, and who ended it first.
 * The kernel keeps the mark with the connection, so nothing else links a flow to its rule. Pure; the whole engine reads and
 * writes marks here alone.
 *
 *     31..29  111         ours
 *     28..26  ending      0 while both sides live; see ENDINGS
 *     25..10  rule        1–65,535, an index of this table
 *      9      told        its end will be told of: it is in the sample of which records are written
 *      8..0   slot        which target of the rule; 0 where the rule has one target only. A rule with more than 511 has
 *                        several indices (pages)
 */
import { type Flow, TCP_STATE } from '../../../linux/netlink/conntrack.ts';

export const OURS = 0xe000_0000;
export const MOST_INDEX = 0xffff;
export const MOST_SLOTS = 0x1ff;
export const TOLD = 0x200;
/** limit: what is left of 32 bits beside an index. */
const MOST_COUNTS = 0x1_0000;
/** The part of a mark that all connections of a rule share: ours, and its index. */
export const RULE_MASK = 0xe3ff_fc00;
/** And that all connections of a rule with one target share. */
export const TARGET_MASK = 0xe3ff_fdff;
export const ENDING_MASK = 0x1c00_0000;

/** The first end seen, written by the chain `ending`. */
export const ENDINGS = { none: 0, clientFin: 1, originFin: 2, clientReset: 3, originReset: 4 } as const;
type Ending = (typeof ENDINGS)[keyof typeof ENDINGS];

export function markOf(index: number, slot = 0): number {
  return (OURS | (index << 10) | slot) >>> 0;
}

/**
 * Slots of a rule are counted from 1 through all its indices, of which it has as many as its targets need: the mark of the
 * target in `slot`.
 */
export function markAt(indices: readonly number[], slot: number): number {
  const page = pageOf(slot);
  return markOf(indices[page] ?? 0, slot - page * MOST_SLOTS);
}

/** Which of a rule's indices has this slot, from 0. */
export const pageOf = (slot: number): number => Math.floor((slot - 1) / MOST_SLOTS);

/** Where the counts of a rule's rotation begin in the maps that all rules share; and the index behind such a key. */
export const rotationKey = (index: number): number => index * MOST_COUNTS;
export const indexOfRotation = (key: number): number => Math.floor(key / MOST_COUNTS);

export function endingBits(ending: Ending): number {
  return ending << 26;
}

export function isOurs(mark: number): boolean {
  return (mark & OURS) >>> 0 === OURS;
}

export function isTold(mark: number): boolean {
  return (mark & TOLD) !== 0;
}

export function indexOf(mark: number): number {
  return (mark >>> 10) & MOST_INDEX;
}

export function endingOf(mark: number): Ending {
  return ((mark >>> 26) & 7) as Ending;
}

/** Both sides have ended it, or one has reset it: the kernel remembers it only for what may still be on its way. */
export function isOver({ state, mark }: Pick<Flow, 'state' | 'mark'>): boolean {
  const ending = endingOf(mark);
  const wasReset = ending === ENDINGS.clientReset || ending === ENDINGS.originReset;
  return state === TCP_STATE.timeWait || state === TCP_STATE.close || wasReset;
}
