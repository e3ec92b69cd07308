/**
 * Rows in an SQLite file, as local-store.ts wants them: this thread only reads; all writing, and with it every wait for
 * the disk, is the writer's.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Medium, Opened, Row, RowId } from '../local/rows.ts';
import { sumOf } from './sums.ts';
import type { Writer } from './writer-thread.ts';

/** limit: rows per step of the scan at open; an iterator costs twice as much per row as a list of 2,000. */
const SCAN = 2_000;

/** Throws where the file is damaged. */
export function readMeta(db: DatabaseSync): Opened {
  const meta = new Map(
    db
      .prepare('SELECT name, value FROM meta')
      .all()
      .map((row) => [row['name'], row['value']]),
  );
  const world = meta.get('world');
  const compacted = Number(meta.get('compacted'));
  if (typeof world !== 'string' || !Number.isSafeInteger(compacted)) throw new Error('its meta table is incomplete');
  return { world, compacted };
}

interface SqliteMedium extends Medium {
  /** Throws where a row is not as it was written. */
  verify(): void;
}

export function sqliteMedium(db: DatabaseSync, writer: Writer): SqliteMedium {
  const slice = db.prepare('SELECT id, key, octet_length(value) FROM record WHERE id > ? ORDER BY id LIMIT ?');
  const one = db.prepare('SELECT value FROM record WHERE id = ?');
  const many = db.prepare('SELECT id, value FROM record WHERE id IN (SELECT value FROM json_each(?))');
  const range = db.prepare('SELECT id, key, value AS text FROM record WHERE id BETWEEN ? AND ? ORDER BY id');
  for (const statement of [slice, many]) statement.setReturnArrays(true);
  return {
    verify() {
      const wrong = db.prepare('SELECT id, key, value, crc FROM record JOIN sum USING (id) ORDER BY id');
      wrong.setReturnArrays(true);
      for (const row of wrong.iterate() as unknown as Iterable<[RowId, string, string | null, number]>)
        if (row[3] !== sumOf(row[0], row[1], row[2])) throw new Error(`the record ${row[1]} is damaged`);
    },
    scan(visit) {
      let last: RowId = -1;
      for (let rows = SCAN; rows === SCAN;) {
        const found = slice.all(last, SCAN) as unknown as [RowId, string, number | null][];
        for (const [id, key, bytes] of found) visit(id, key, bytes ?? undefined);
        rows = found.length;
        last = found.at(-1)?.[0] ?? last;
      }
    },
    text: (id) => (one.get(id)?.['value'] ?? undefined) as string | undefined,
    texts: (ids) => new Map(many.all(JSON.stringify(ids)) as unknown as [RowId, string][]),
    rows: (first, last) => range.all(first, last) as unknown as Row[],
    persist: (rows) => writer.send({ rows, forget: [] }),
    forget: (ids, compacted) => writer.send({ rows: [], forget: ids, compacted }),
    async close() {
      // order: the writer's is then the last connection, so it is the one that folds the WAL into the file.
      db.close();
      await writer.close();
    },
  };
}
