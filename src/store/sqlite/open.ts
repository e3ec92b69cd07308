/** Opens a world in an SQLite file, making it where there is none, and refuses one that can't be trusted. */
import { accessSync, constants, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { systemRng } from '../../lib/rng.ts';
import { StoreUnusable } from '../errors.ts';
import { type LocalOptions, LocalStore } from '../local/local-store.ts';
import type { Medium, Opened } from '../local/rows.ts';
import type { Store } from '../store.ts';
import { prepare } from './format.ts';
import { heldMedium, readAll, withCopy } from './held.ts';
import { readMeta, sqliteMedium } from './medium.ts';
import { startWriter } from './writer-thread.ts';

/** limit: enough to read a page of records without a copy, little beside the store's own memory. */
const MMAP_BYTES = 64 * 1024 * 1024;

export async function openSqlite(path: string, options: LocalOptions): Promise<Store> {
  prepare(path, systemRng.uuid());
  try {
    const { medium, opened } = await openWhole(path);
    return new LocalStore(medium, opened, options);
  } catch (error) {
    return openHeld(path, (error as Error).message, options);
  }
}

async function openWhole(path: string): Promise<{ medium: Medium; opened: Opened }> {
  // A connection to a file that is read-only would stay so.
  accessSync(path, constants.W_OK);
  const starting = startWriter(path);
  let db: DatabaseSync | undefined;
  try {
    db = openForReading(path);
    const opened = readMeta(db);
    return { medium: sqliteMedium(db, await starting), opened };
  } catch (error) {
    db?.close();
    await starting.then(
      (writer) => writer.close(),
      () => undefined,
    );
    throw error;
  }
}

/** A file that is sound but can't be opened for writing is read, and tried again. */
function openHeld(path: string, reason: string, options: LocalOptions): Store {
  try {
    const held = withCopy(path, (copy) => readAll(copy, readMeta));
    options.log.error('the desired state can be read but not written; tried again until it can', { path, reason });
    const open = async () => (await openWhole(path)).medium;
    return new LocalStore(heldMedium({ ...held, ...options, reason, open }), held.opened, options);
  } catch (error) {
    const why = (error as Error).message;
    throw new StoreUnusable(`${path} can't be read: ${why}; restore a backup`, { cause: error });
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
