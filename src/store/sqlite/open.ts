/** Opens a world in an SQLite file, making it where there is none, and refuses one that can't be trusted. */
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { systemRng } from '../../lib/rng.ts';
import { StoreUnusable } from '../errors.ts';
import { type LocalOptions, LocalStore } from '../local/local-store.ts';
import type { Store } from '../store.ts';
import { prepare } from './format.ts';
import { readMeta, sqliteMedium } from './medium.ts';
import { startWriter } from './writer-thread.ts';

/** limit: enough to read a page of records without a copy, little beside the store's own memory. */
const MMAP_BYTES = 64 * 1024 * 1024;

export async function openSqlite(path: string, options: LocalOptions): Promise<Store> {
  prepare(path, systemRng.uuid());
  const starting = startWriter(path);
  let db: DatabaseSync | undefined;
  try {
    db = openForReading(path);
    const opened = readMeta(db);
    return new LocalStore(sqliteMedium(db, await starting), opened, options);
  } catch (error) {
    db?.close();
    await starting.then(
      (writer) => writer.close(),
      () => undefined,
    );
    const reason = (error as Error).message;
    throw new StoreUnusable(`${path} can't be read: ${reason}; restore a backup`, { cause: error });
  }
}

/** Throws where the file is damaged. */
export function openForReading(path: string): DatabaseSync {
  const unclean = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec(`PRAGMA busy_timeout = 5000; PRAGMA mmap_size = ${MMAP_BYTES}`);
    // After a clean end SQLite itself compares the file's length with what it should be; the WAL hides that.
    const [found] = unclean ? Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {}) : ['ok'];
    if (found !== 'ok') throw new Error(`it is damaged (${String(found).replace(/\s+/g, ' ')})`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
