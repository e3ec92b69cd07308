/**
 * Opens a world in an SQLite file, making it where there is none. One that is on a full disk or damaged is opened as far as
 * it can be read (held.ts); one that nothing can be read of is refused.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { systemRng } from '../../lib/rng.ts';
import { StoreUnusable } from '../errors.ts';
import { type LocalOptions, LocalStore } from '../local/local-store.ts';
import { type Medium, type Opened, revisionOf } from '../local/rows.ts';
import type { EdgeCopySource, Store } from '../store.ts';
import { keys } from '../records.ts';
import { prepare } from './format.ts';
import { heldMedium, joined, partialMedium } from './held.ts';
import { readMeta, sqliteMedium } from './medium.ts';
import { salvageCopy, type Salvaged, withCopy } from './salvage.ts';
import { startWriter } from './writer-thread.ts';

/** limit: enough to read a page of records without a copy, little beside the store's own memory. */
const MMAP_BYTES = 64 * 1024 * 1024;

export interface SqliteOptions extends LocalOptions {
  /** A new world may be made where an edge has rules of one that is gone; default false. */
  readonly newWorld?: boolean;
  /** An edge's own copy of what it follows, where it is on this machine. */
  readonly copy?: EdgeCopySource | undefined;
}

export async function openSqlite(path: string, options: SqliteOptions): Promise<Store> {
  try {
    if (!existsSync(path) && !options.newWorld) await keepRules(path, options);
    prepare(path, systemRng.uuid());
  } catch (error) {
    return openPartial(path, { opened: undefined, rows: [], damaged: [] }, error as Error, options);
  }
  const whole = await openWhole(path).then(
    ({ medium, opened }) => new LocalStore(medium, opened, options),
    (error: Error) => error,
  );
  if (whole instanceof LocalStore) {
    const missing = await missingIn(whole, options);
    if (missing === undefined) return whole;
    await whole.close();
    return openPartial(path, salvaged(path), new Error(missing), options);
  }
  const found = salvaged(path);
  if (found.damaged.length > 0 || !found.opened) return openPartial(path, found, whole, options);
  const reason = whole.message;
  options.log.error('the desired state can be read but not written; tried again until it can', { path, reason });
  const open = async (): Promise<Medium> => (await openWhole(path)).medium;
  return new LocalStore(heldMedium({ rows: found.rows, ...options, reason, open }), found.opened, options);
}

/** A file that is gone while an edge still has its rules was lost, most likely. */
async function keepRules(path: string, { copy }: SqliteOptions): Promise<void> {
  const records = (await copy?.read())?.records ?? [];
  const rules = records
    .filter(({ key }) => key.startsWith(keys.allProxies()))
    .reduce((sum, { value }) => sum + ((value as { rules?: readonly unknown[] }).rules?.length ?? 0), 0);
  if (rules > 0)
    throw new StoreUnusable(
      `${path} is gone, and the edge here has ${rules} rules: restore a backup, or end these rules with --new-world`,
    );
}

async function openWhole(path: string): Promise<{ medium: Medium; opened: Opened }> {
  // A connection to a file that is read-only would stay so.
  accessSync(path, constants.W_OK);
  // order: the writer gives rows of an older version their checksums, before they are read.
  const writer = await startWriter(path);
  let db: DatabaseSync | undefined;
  try {
    db = openForReading(path);
    const opened = readMeta(db);
    const medium = sqliteMedium(db, writer);
    medium.verify();
    return { medium, opened };
  } catch (error) {
    db?.close();
    await writer.close();
    throw error;
  }
}

/** Throws where the file is damaged. */
export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec(`PRAGMA busy_timeout = 5000; PRAGMA mmap_size = ${MMAP_BYTES}`);
    const [found] = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {});
    if (found !== 'ok') throw new Error(`it is damaged (${String(found).replace(/\s+/g, ' ')})`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Revisions that an edge has and the file has lost: the end of its log is gone. */
async function missingIn(store: Store, { copy }: SqliteOptions): Promise<string | undefined> {
  const revision = await store.read((view) => view.revision);
  const at = await copy?.position();
  if (at?.world !== store.world || at.revision <= revision) return undefined;
  return `the revisions ${revision + 1} to ${at.revision} are missing`;
}

function salvaged(path: string): Salvaged {
  try {
    return withCopy(path, salvageCopy);
  } catch (error) {
    return { opened: undefined, rows: [], damaged: [(error as Error).message] };
  }
}

/** limit: names in one line of the log. */
const NAMED = 20;

async function openPartial(path: string, found: Salvaged, failure: Error, options: SqliteOptions): Promise<Store> {
  const read = await options.copy?.read();
  // Of another world (a backup was restored) it says nothing of this one.
  const copy = found.opened && read?.world !== found.opened.world ? undefined : read;
  const rows = joined(found.rows, copy);
  if (rows.length === 0) {
    if (failure instanceof StoreUnusable) throw failure;
    throw new StoreUnusable(`${path} can't be read: ${failure.message}; restore a backup`, { cause: failure });
  }
  const named = found.damaged.length > 0 ? found.damaged : [failure.message];
  const damaged = named.length > NAMED ? [...named.slice(0, NAMED), `and ${named.length - NAMED} more`] : named;
  options.log.error('the desired state on disk is damaged; what can be read is served, nothing can be changed', {
    path,
    reason: failure.message,
    damaged,
    fromTheEdge: copy !== undefined,
  });
  let isSealed = false;
  const revision = Math.max(0, ...rows.map(({ id }) => revisionOf(id)), copy?.revision ?? 0);
  const world = found.opened?.world ?? copy?.world ?? systemRng.uuid();
  const reason = damaged.join('; ');
  const medium = partialMedium(rows, () => isSealed);
  return new LocalStore(
    medium,
    { world, compacted: revision, partial: { reason, seal: () => (isSealed = true) } },
    options,
  );
}
