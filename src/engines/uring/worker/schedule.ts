/**
 * The schedule of a rule's targets, the same for all workers: one period of flow/pick.ts, written down, and one shared place
 * in it. So the shares are exact over the whole machine, and a choice is one atomic add. Made on the agent's thread, read
 * by every worker (targets.ts). Pure but for the shared place.
 */
import { createPicker } from '../../flow/pick.ts';
import type { Target } from '../../engine.ts';

/** The targets of a rule, tier by tier, lowest first; a turn holds positions in the rule's list of targets. */
export type Turns = readonly Uint16Array[];

/** limit: 64 targets with weights to 1,000 fit; beyond it the shares are those of the first turns, close but not exact. */
const LONGEST_TURN = 65_536;

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

/**
 * The position in `targets` that is next, or -1 where nothing is left; `taboo` positions are passed over (only a second
 * try has one, so a first choice makes no garbage). `shared` counts the choices of all workers.
 */
export function nextTurn(turns: Turns, shared: Int32Array, taboo?: (position: number) => boolean): number {
  for (let tier = 0; tier < turns.length; tier++) {
    const turn = turns[tier]!;
    const start = Atomics.add(shared, 0, 1) >>> 0;
    for (let i = 0; i < turn.length; i++) {
      const position = turn[(start + i) % turn.length]!;
      if (!taboo?.(position)) return position;
    }
  }
  return -1;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function divisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
