/**
 * Slots: the numbers by which marks tell the targets of one rule apart. A target keeps its slot as long as it is one. Pure;
 * called when a rule is applied.
 */
import type { Listener } from '../../engine.ts';
import { pageOf } from './marks.ts';

/** How many indices these slots take. */
export function pagesFor(slots: ReadonlyMap<string, number>): number {
  const last = slots.values().reduce((most, slot) => Math.max(most, slot), 1);
  return pageOf(last) + 1;
}

/** Gives every target a slot. */
export function assignSlots(slots: Map<string, number>, targets: Listener['targets']): void {
  const wanted = new Set(targets.map(({ address }) => address));
  for (const address of slots.keys()) if (!wanted.has(address)) slots.delete(address);
  const used = new Set(slots.values());
  let slot = 1;
  for (const address of wanted) {
    if (slots.has(address)) continue;
    while (used.has(slot)) slot++;
    used.add(slot);
    slots.set(address, slot);
  }
}
