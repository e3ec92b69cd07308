/**
 * Weighted round robin as runs of counts: which target each count of `numgen inc` stands for. A short rotation is interleaved
 * smoothly, a long one is cut into blocks. Its length depends on the rule alone, never on what its targets take now: a rotation
 * of another length takes another chain, which costs the kernel milliseconds where there are thousands. Pure; called by
 * contents.ts.
 */
import type { Target } from '../../engine.ts';
import { createPicker } from '../../flow/pick.ts';

/** Counts in a row that stand for one target, both ends included. */
export interface Run {
  readonly from: number;
  readonly to: number;
  readonly address: string;
}

/** The part of its turns that a target takes: 0 where nothing new goes there while another can take it, 1 for all of them. */
export type PartOf = (target: Target) => number;

/** limit: an element of a map per run; beyond that many connections a person sees no difference. */
const MOST_SMOOTH = 256;
/** limit: so many counts at most, so that the others get exactly their shares while one target is shut. */
const MOST_EXACT = 24;
/** limit: what a sum of fractions may be off a whole number. */
const EPSILON = 1e-9;
/** Counts of the smallest share where targets start slowly, so that it can be cut into so many parts. */
const PARTS = 8;

/**
 * Over the targets that take new connections: those of the lowest tier that has a weight and is not shut. Empty: none has a
 * weight. Counts that a target leaves go to the others of its tier, which keep theirs. Shares are exact where the length
 * allows, else off by less than one count. `isGradual`: parts between 0 and 1 may come.
 */
export function rotationOf(targets: readonly Target[], partOf: PartOf = () => 1, isGradual = false): readonly Run[] {
  const tiers = tiersOf(targets);
  const [first] = tiers;
  if (!first) return [];
  const length = lengthOf(tiers, isGradual);
  const isOpen = (target: Target): boolean => partOf(target) > 0;
  const tier = tiers.find((tier) => tier.some(isOpen));
  const before = allotted(first, () => 1, length);
  const after = tier
    ? allotted(tier, tier.some((one) => partOf(one) === 1) ? partOf : wholeOf(partOf), length)
    : before;
  if (length > MOST_SMOOTH) return blocks(after);
  return runsOf(tier === undefined || tier === first ? passedOn(smooth(before), before, after) : smooth(after));
}

/** Where nobody takes all of its turns, each that takes some takes all. */
function wholeOf(partOf: PartOf): PartOf {
  return (target) => (partOf(target) > 0 ? 1 : 0);
}

/** Targets by tier, lowest first, with weights as small as whole numbers can say them. */
function tiersOf(targets: readonly Target[]): Target[][] {
  const usable = targets.filter(({ weight }) => weight > 0);
  const tiers = [...Map.groupBy(usable, ({ tier }) => tier)].toSorted(([a], [b]) => a - b);
  // The kernel counts whole connections.
  return tiers.map(([, tier]) =>
    reduced(tier.map((target) => ({ ...target, weight: Math.max(1, Math.round(target.weight)) }))),
  );
}

function reduced(targets: readonly Target[]): Target[] {
  const divisor = targets.reduce((common, { weight }) => gcd(common, weight), 0);
  return targets.map((target) => ({ ...target, weight: target.weight / divisor }));
}

const sumOf = (targets: readonly Target[]): number => targets.reduce((sum, { weight }) => sum + weight, 0);

/** Long enough for each tier alone; and for exact shares, whichever target is shut, where that is not too long. */
function lengthOf([first = [], ...others]: readonly Target[][], isGradual: boolean): number {
  let length = sumOf(first);
  if (isGradual && length * PARTS <= MOST_SMOOTH) length *= PARTS;
  const withoutOne = first.map((left) => sumOf(reduced(first.filter((target) => target !== left))));
  const sums = others.map(sumOf);
  for (const sum of [...sums, ...withoutOne].filter((sum) => sum > 0)) {
    const exact = (length / gcd(length, sum)) * sum;
    if (exact <= MOST_EXACT) length = exact;
  }
  return length * Math.ceil(Math.max(1, ...sums) / length);
}

type Counts = ReadonlyMap<Target, number>;

/**
 * Counts of each target, `length` in all: as its weight and its part of it say, and those that lose most by rounding get one
 * more.
 */
function allotted(tier: readonly Target[], partOf: PartOf, length: number): Counts {
  const weights = tier.map((target) => target.weight * partOf(target));
  const sum = weights.reduce((a, b) => a + b, 0);
  const wanted = weights.map((weight) => (weight * length) / sum);
  const counts = wanted.map((count) => Math.floor(count + EPSILON));
  const missing = length - counts.reduce((a, b) => a + b, 0);
  const lost = (i: number): number => wanted[i]! - counts[i]!;
  const byLoss = [...wanted.keys()].toSorted((a, b) => lost(b) - lost(a));
  for (const i of byLoss.slice(0, missing)) counts[i]!++;
  return new Map(tier.map((target, i) => [target, counts[i]!]));
}

/** One target per count, each as often as it is to be. */
function smooth(counts: Counts): Target[] {
  const picker = createPicker();
  const targets = [...counts].map(([target, weight]) => ({ ...target, weight }));
  picker.update(targets);
  const byCopy = new Map(targets.map((copy, i) => [copy as Target, [...counts.keys()][i]!]));
  return Array.from({ length: sumOf(targets) }, () => byCopy.get(picker.next()!)!);
}

/** Those that are to have fewer give some away, evenly spread; all other counts stay where they are. */
function passedOn(rotation: readonly Target[], before: Counts, after: Counts): Target[] {
  const more = new Map([...after].map(([target, count]) => [target, Math.max(0, count - before.get(target)!)]));
  const takers = smooth(more).values();
  const seen = new Map<Target, number>();
  return rotation.map((target) => {
    const [had, has] = [before.get(target)!, after.get(target)!];
    const nth = seen.get(target) ?? 0;
    seen.set(target, nth + 1);
    const isKept = has >= had || (nth * has) % had < has;
    return isKept ? target : takers.next().value!;
  });
}

function runsOf(rotation: readonly Target[]): Run[] {
  const runs: Run[] = [];
  for (const [count, { address }] of rotation.entries()) {
    const last = runs.at(-1);
    if (last?.address === address) runs[runs.length - 1] = { ...last, to: count };
    else runs.push({ from: count, to: count, address });
  }
  return runs;
}

function blocks(counts: Counts): Run[] {
  let from = 0;
  return [...counts].flatMap(([{ address }, count]) => {
    const run = { from, to: from + count - 1, address };
    from += count;
    return count > 0 ? [run] : [];
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
