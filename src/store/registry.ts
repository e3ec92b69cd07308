/** The list of backends: the scheme of a store's URL → its factory. Called by the composition roots and the CLI. */
import { StoreUnusable } from './errors.ts';
import { openMemory } from './memory/memory.ts';
import { openSqlite, type SqliteOptions } from './sqlite/open.ts';
import type { Store } from './store.ts';

type StoreOptions = SqliteOptions;

type Open = (rest: string, options: StoreOptions) => Store | Promise<Store>;

const BACKENDS: ReadonlyMap<string, Open> = new Map<string, Open>([
  ['memory', (_, options) => openMemory(options)],
  ['sqlite', openSqlite],
]);

/**
 * `memory:` or `sqlite:<path of the file>`, which is made where it doesn't exist. Rejects with StoreUnusable where it
 * can't be used.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const colon = url.indexOf(':');
  const open = BACKENDS.get(url.slice(0, Math.max(colon, 0)));
  if (!open) {
    throw new StoreUnusable(`no such store: ${url} (known: ${[...BACKENDS.keys()].join(':, ')}:)`);
  }
  return open(url.slice(colon + 1), options);
}
