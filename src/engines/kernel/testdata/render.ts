/** The text of the table with some listeners, numbered in their order, as an engine writes it where the table is gone. */
import type { Listener } from '../../engine.ts';
import type { TableOptions } from '../table/base.ts';
import { contentsOf } from '../table/contents.ts';
import { settingsName, settingsOf } from '../table/settings.ts';
import { pagesFor } from '../table/slots.ts';
import { createTable } from '../table/table.ts';

export async function render(listeners: readonly Listener[], options: TableOptions): Promise<string> {
  let last = 0;
  const rules = listeners.map((listener) => {
    const settings = settingsOf(listener);
    const slots = new Map(listener.targets.map(({ address }, slot) => [address, slot + 1]));
    const indices = Array.from({ length: pagesFor(slots) }, () => ++last);
    return { contents: contentsOf(listener, { indices, slots, settings: settingsName(settings) }), settings };
  });
  let written = '';
  const nft = (text: string): Promise<string> => Promise.resolve((written += text)).then(() => '');
  const nothing = { dump: () => -2, get: () => -2, transact: () => -2 };
  await createTable({ asking: nothing, nft, rules: () => rules, settings: [], options }).restore();
  return written;
}
