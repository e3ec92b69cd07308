/** A world whose every revision is known beforehand, so that what a crash leaves can be compared with what must be. */
import assert from 'node:assert/strict';
import type { Change, Store } from '../../src/store/store.ts';
import { collect, fold } from '../suites/store-watcher.ts';

/** What the commit of this revision changes: several keys, one of them deleted now and then, sizes of all kinds. */
export function changesOf(revision: number): Change[] {
  return [
    { key: `a/${revision % 7}`, value: { revision, text: 'x'.repeat((revision * 37) % 5_000) } },
    { key: `b/${revision % 11}`, value: revision },
    { key: `c/${revision % 3}`, value: revision % 2 === 0 ? undefined : { revision } },
  ];
}

function worldOf(revision: number): Map<string, unknown> {
  const batches = Array.from({ length: revision }, (_, i) => {
    return { kind: 'batch' as const, revision: i + 1, changes: changesOf(i + 1) };
  });
  return fold(batches);
}

/** Fails unless the store holds exactly the world of its revision and a history without a hole. Returns the revision. */
export async function checkWorld(store: Store): Promise<number> {
  const { revision, records } = await store.read((view) => {
    const all = ['a/', 'b/', 'c/'].flatMap((prefix) => view.list(prefix));
    return { revision: view.revision, records: new Map(all.map(({ key, value }) => [key, value])) };
  });
  assert.deepEqual(records, worldOf(revision));
  if (revision === 0) return 0;
  // From as far back as history may go: either all of it is there, or a snapshot says that it is gone.
  const back = Math.max(1, revision - 90);
  const seen = await collect(store, ['a/', 'b/', 'c/'], back, revision - back);
  assert.deepEqual(fold(seen, worldOf(back)), worldOf(revision));
  return revision;
}
