/**
 * Weights as slots of a turn: which target each count of `numgen inc` stands for. Over a turn every target gets exactly
 * its share; turns that are short enough are interleaved smoothly, long ones are cut into blocks. Pure.
 */
import type { Target } from '../../engine.ts';
import { createPicker } from '../../flow/pick.ts';

/** A run of counts, both ends included, and whose it is. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly address: string;
}

/** limit: an element of a map per run; smoothness beyond that many connections is nothing a person can see. */
const MOST_SMOOTH = 256;

/** The turn of the targets that take new connections: those of the lowest tier that has a weight. Empty: nobody does. */
export function shares(targets: readonly Target[]): readonly Share[] {
  const usable = targets.filter(({ weight }) => weight > 0);
  const tier = Math.min(...usable.map(({ tier }) => tier));
  // The kernel counts whole connections.
  const takers = usable
    .filter((target) => target.tier === tier)
    .map((target) => ({ ...target, weight: Math.max(1, Math.round(target.weight)) }));
  const divisor = takers.reduce((common, { weight }) => gcd(common, weight), 0);
  const reduced = takers.map((target) => ({ ...target, weight: target.weight / divisor }));
  const turn = reduced.reduce((sum, { weight }) => sum + weight, 0);
  return turn <= MOST_SMOOTH ? smooth(reduced, turn) : blocks(reduced);
}

function smooth(targets: readonly Target[], turn: number): Share[] {
  const picker = createPicker();
  picker.update(targets);
  const runs: Share[] = [];
  for (let count = 0; count < turn; count++) {
    const address = picker.next()?.address ?? '';
    const last = runs.at(-1);
    if (last?.address === address) runs[runs.length - 1] = { ...last, to: count };
    else runs.push({ from: count, to: count, address });
  }
  return runs;
}

function blocks(targets: readonly Target[]): Share[] {
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
