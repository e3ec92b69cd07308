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

/** Over the targets that take new connections: those of the lowest tier that has a weight. Empty: none does. */
export function rotationOf(targets: readonly Target[]): readonly Run[] {
  const usable = targets.filter(({ weight }) => weight > 0);
  const tier = Math.min(...usable.map(({ tier }) => tier));
  // The kernel counts whole connections.
  const takers = usable
    .filter((target) => target.tier === tier)
    .map((target) => ({ ...target, weight: Math.max(1, Math.round(target.weight)) }));
  const divisor = takers.reduce((common, { weight }) => gcd(common, weight), 0);
  const reduced = takers.map((target) => ({ ...target, weight: target.weight / divisor }));
  const length = reduced.reduce((sum, { weight }) => sum + weight, 0);
  return length <= MOST_SMOOTH ? smooth(reduced, length) : blocks(reduced);
}

function smooth(targets: readonly Target[], length: number): Run[] {
  const picker = createPicker();
  picker.update(targets);
  const runs: Run[] = [];
  for (let count = 0; count < length; count++) {
    const address = picker.next()?.address ?? '';
    const last = runs.at(-1);
    if (last?.address === address) runs[runs.length - 1] = { ...last, to: count };
    else runs.push({ from: count, to: count, address });
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
