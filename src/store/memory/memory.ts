/** Rows in the process's memory: for tests and throw-away worlds. Nothing outlives the process. */
import { systemRng } from '../../lib/rng.ts';
import { LocalStore, type LocalOptions } from '../local/local-store.ts';
import { type Medium, revisionOf, type Row, rowId, type RowId } from '../local/rows.ts';
import type { Store } from '../store.ts';

export function openMemory(options: LocalOptions): Store {
  return new LocalStore(memoryMedium(), { world: systemRng.uuid(), compacted: 0 }, options);
}

function memoryMedium(): Medium {
  const kept = new Map<RowId, Row>();
  return {
    scan() {},
    text: (id) => kept.get(id)?.text ?? undefined,
    texts: (ids) => new Map(ids.flatMap((id) => [[id, kept.get(id)?.text ?? '']] as const).filter(([, text]) => text)),
    rows(first, last) {
      const found: Row[] = [];
      for (let revision = revisionOf(first); revision <= revisionOf(last); revision++) {
        let place = 0;
        for (let row = kept.get(rowId(revision, 0)); row; row = kept.get(rowId(revision, ++place))) found.push(row);
      }
      return found;
    },
    async persist(rows) {
      for (const row of rows) kept.set(row.id, row);
    },
    async forget(ids) {
      for (const id of ids) kept.delete(id);
    },
    async close() {
      kept.clear();
    },
  };
}
