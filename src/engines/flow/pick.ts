/**
 * Which target takes the next connection: the lowest tier that has one, and inside it by weight, smoothly. Over a whole
 * period (the sum of the weights) every target gets exactly its share, never in a burst. Pure.
 */
import type { Target } from '../engine.ts';
import { isBarred } from './bars.ts';

export interface Picker {
  update(targets: readonly Target[]): void;
  /** `tried`: addresses that must not be taken; `port`: where it would be dialled; `isShut`: it takes none now. `undefined`: nothing is left. */
  next(tried?: ReadonlySet<string>, port?: number, isShut?: (target: Target) => boolean): Target | undefined;
}

interface Slot {
  readonly target: Target;
  /** Connections that the target is owed, in shares; the most owed is next. */
  owed: number;
}

export function createPicker(): Picker {
  let slots: readonly Slot[] = [];

  return {
    update(targets) {
      const owed = new Map(slots.map((slot) => [slot.target.address, slot.owed]));
      slots = targets.map((target) => {
        // A target that stays keeps its place in the turn, so that frequent changes don't favour the first one; what it
        // was owed under another weight must not become a burst.
        const before = owed.get(target.address) ?? 0;
        return { target, owed: Math.max(-target.weight, Math.min(target.weight, before)) };
      });
    },
    next(tried, port = 0, isShut) {
      const usable = ({ target }: Slot): boolean =>
        target.weight > 0 && !tried?.has(target.address) && !isBarred(target, port) && !isShut?.(target);
      let tier = Infinity;
      for (const slot of slots) if (usable(slot)) tier = Math.min(tier, slot.target.tier);
      let total = 0;
      let best: Slot | undefined;
      for (const slot of slots) {
        if (slot.target.tier !== tier || !usable(slot)) continue;
        total += slot.target.weight;
        slot.owed += slot.target.weight;
        if (!best || slot.owed > best.owed) best = slot;
      }
      if (best) best.owed -= total;
      return best?.target;
    },
  };
}
