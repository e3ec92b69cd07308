/**
 * The whole table as one text for `nft -f`: what it takes where nothing of it is there, at the first start and after
 * somebody flushed the ruleset. Pure.
 */
import { difference, textOf } from '../../../linux/nft/transaction.ts';
import type { Listener } from '../../engine.ts';
import { NONE, type Place, contentsOf } from './contents.ts';
import { type Contents } from './sets.ts';
import { pagesFor } from '../rules.ts';
import { addSettings, type Settings, settingsName, settingsOf } from './settings.ts';
import { LAYOUT } from './sets.ts';
import { baseText, type TableOptions } from './base.ts';

interface Rendered {
  readonly pieces: Contents;
  readonly settings: Settings | undefined;
}

export function tableText(rules: Iterable<Rendered>, options: TableOptions): string {
  const all = [...rules];
  const settings = new Map(all.flatMap(({ settings }) => (settings ? [[settingsName(settings), settings]] : [])));
  const pieces = all.map(({ pieces }) => pieces);
  const whole: Contents = {
    elements: new Map(pieces.flatMap(({ elements }) => [...elements])),
    chains: new Map(pieces.flatMap(({ chains }) => [...chains])),
    maps: new Map(pieces.flatMap(({ maps }) => [...maps])),
  };
  const shared = [...settings.values()].flatMap((one) => addSettings(one));
  return baseText(options) + textOf(LAYOUT, [...shared, ...difference(NONE, whole)]);
}

/** The table of these listeners, numbered in their order, as a new engine numbers them. */
export function render(
  listeners: readonly Listener[],
  options: TableOptions = { isGuarded: false, isFast: false, owner: '' },
): string {
  let last = 0;
  return tableText(
    listeners.map((listener) => {
      const settings = settingsOf(listener);
      const slots = new Map(listener.targets.map(({ address }, slot) => [address, slot + 1]));
      const indices = Array.from({ length: pagesFor(slots) }, () => ++last);
      const place: Place = { indices, slots, settings: settingsName(settings) };
      return { pieces: contentsOf(listener, place), settings };
    }),
    options,
  );
}
