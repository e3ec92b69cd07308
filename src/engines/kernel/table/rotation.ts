/**
 * Weighted round robin as runs of counts: which target each count of `numgen inc` stands for. Over a whole rotation every
 * target gets exactly its share; a short rotation is interleaved smoothly, a long one is cut into blocks. Pure; called by
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

/** limit: an element of a map per run; beyond that many connections a person sees no difference. */
const MOST_SMOOTH = 256;

/** limit: so many counts at most, so that the others get exactly their shares while one target is shut. */
const MOST_EXACT = 24;

/**
 * Over the targets that take new connections: those of the lowest tier that has a weight. Empty: none does. Counts of targets
 * that are shut go to the others, and the length stays: a rotation of another length takes another chain, which costs the
 * kernel milliseconds where there are thousands. Shares are exact where the lengths allow, else off by two counts at most.
 */
export function rotationOf(
  targets: readonly Target[],
  isShut: (target: Target) => boolean = () => false,
): readonly Run[] {
  const takers = takersOf(targets);
  const length = exactLength(takers);
  const others = takersOf(targets.filter((target) => !isShut(target)));
  const open = others.length > 0 ? others : takers;
  const own = lengthOf(open);
  return own <= length && length <= MOST_SMOOTH ? tiled(smooth(open, own), length) : scaled(blocks(open), own, length);
}

/** With weights as small as whole numbers can say them. */
function takersOf(targets: readonly Target[]): readonly Target[] {
  const usable = targets.filter(({ weight }) => weight > 0);
  const tier = Math.min(...usable.map(({ tier }) => tier));
  // The kernel counts whole connections.
  return reduced(
    usable
      .filter((target) => target.tier === tier)
      .map((target) => ({ ...target, weight: Math.max(1, Math.round(target.weight)) })),
  );
}

function reduced(targets: readonly Target[]): readonly Target[] {
  const divisor = targets.reduce((common, { weight }) => gcd(common, weight), 0);
  return targets.map((target) => ({ ...target, weight: target.weight / divisor }));
}

const lengthOf = (targets: readonly Target[]): number => targets.reduce((sum, { weight }) => sum + weight, 0);

function exactLength(takers: readonly Target[]): number {
  const own = lengthOf(takers);
  let length = own;
  for (const left of takers) {
    const others = lengthOf(reduced(takers.filter((target) => target !== left)));
    if (others > 0) length *= others / gcd(length, others);
    if (length > MOST_EXACT) return own;
  }
  return length;
}

/** The runs again and again, up to the length. */
function tiled(runs: readonly Run[], length: number): Run[] {
  const own = (runs.at(-1)?.to ?? 0) + 1;
  const all: Run[] = [];
  for (let first = 0; runs.length > 0 && first < length; first += own)
    for (const { from, to, address } of runs)
      if (first + from < length) append(all, first + from, Math.min(first + to, length - 1), address);
  return all;
}

/** The runs drawn out, or pressed together, to the length. */
function scaled(runs: readonly Run[], own: number, length: number): Run[] {
  const all: Run[] = [];
  for (const { from, to, address } of runs) {
    const [first, end] = [Math.round((from * length) / own), Math.round(((to + 1) * length) / own)];
    if (end > first) append(all, first, end - 1, address);
  }
  return all;
}

function append(runs: Run[], from: number, to: number, address: string): void {
  const last = runs.at(-1);
  if (last?.address === address) runs[runs.length - 1] = { ...last, to };
  else runs.push({ from, to, address });
}

function smooth(targets: readonly Target[], length: number): Run[] {
  const picker = createPicker();
  picker.update(targets);
  const runs: Run[] = [];
  for (let count = 0; count < length; count++) {
    const address = picker.next()?.address ?? '';
    append(runs, count, count, address);
  }
  return runs;
}

function blocks(targets: readonly Target[]): Run[] {
  let from = 0;
  return targets.map(({ address, weight }) => {
    const share = { from, to: from + weight - 1, address };
    from += weight;
    return share;
  });
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
