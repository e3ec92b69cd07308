/**
 * A world in an SQLite file. This thread only reads; all writing, and with it every wait for the disk, happens on a
 * thread of its own (writer.ts), so that a slow disk delays answers to writes and nothing else.
 */
import { DatabaseSync } from 'node:sqlite';
import { systemRng } from '../../lib/rng.ts';
import { StoreUnusable } from '../errors.ts';
import { type LocalOptions, LocalStore } from '../local/local-store.ts';
import type { Medium, Opened, Row } from '../local/rows.ts';
import type { Store } from '../store.ts';
import { prepare } from './format.ts';
import { startWriter, type Writer } from './writer-thread.ts';

export async function openSqlite(path: string, options: LocalOptions): Promise<Store> {
  prepare(path, systemRng.uuid());
  const starting = startWriter(path);
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    db.exec('PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA mmap_size = 268435456');
    const opened = readMeta(db);
    const medium = sqliteMedium(db, await starting);
    return new LocalStore(medium, opened, options);
  } catch (error) {
    await (await starting).close();
    throw new StoreUnusable(`${path} can't be read: ${(error as Error).message}; restore a backup`, { cause: error });
  }
}

function readMeta(db: DatabaseSync): Opened {
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

function sqliteMedium(db: DatabaseSync, writer: Writer): Medium {
  const all = db.prepare('SELECT id, key, octet_length(value) FROM record ORDER BY id');
  const one = db.prepare('SELECT value FROM record WHERE id = ?');
  const range = db.prepare('SELECT id, key, value AS text FROM record WHERE id BETWEEN ? AND ? ORDER BY id');
  all.setReturnArrays(true);
  return {
    scan(visit) {
      for (const row of all.iterate() as Iterable<unknown>) {
        const [id, key, bytes] = row as [number, string, number | null];
        visit(id, key, bytes ?? undefined);
      }
    },
    text: (id) => (one.get(id)?.['value'] ?? undefined) as string | undefined,
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
