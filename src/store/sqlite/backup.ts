/**
 * A copy of a world as one file, consistent at one revision, whether a process works on the world or not. The copy gets
 * a world id of its own: restored, its revisions may name other contents than the ones that edges and watchers saw.
 */
import { closeSync, existsSync, linkSync, openSync, readSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemRng } from '../../lib/rng.ts';
import { StoreUnusable } from '../errors.ts';
import { revisionOf } from '../local/rows.ts';
import type { EdgeCopy, EdgeCopySource, Revision } from '../store.ts';
import { CREATE, HEADER_BYTES, syncFolder, whyNot } from './format.ts';
import { joined } from './held.ts';
import { salvage, salvageCopy, withCopy } from './salvage.ts';
import { addMissingSums } from './sums.ts';

interface Backup {
  readonly revision: Revision;
  readonly bytes: number;
  /** Damage: rows that could not be read and are not in the copy; empty where the world is sound. */
  readonly damaged: readonly string[];
}

/**
 * Copies the world in `dataFile` to the new file `target`, readable by its owner alone, checked and durable once
 * returned. Blocks while it copies. A world that is damaged is copied as far as it can be read, with what `edge` has of the
 * rest. Throws StoreUnusable where there is no world, where `target` exists already or where the copy is not sound;
 * `target` then is as it was.
 */
export async function backup(dataFile: string, target: string, edge?: EdgeCopySource): Promise<Backup> {
  if (!existsSync(dataFile) && !(await edge?.read()))
    throw new StoreUnusable(`${dataFile} doesn't exist: there is nothing to back up`);
  if (existsSync(target)) throw new StoreUnusable(`${target} exists already: name another file`);
  const half = `${target}.partial`;
  try {
    rmSync(half, { force: true });
    // The copy holds secrets too; SQLite fills an empty file but would make a new one readable.
    closeSync(openSync(half, 'wx', 0o600));
    const at = await edge?.position();
    const damaged = copied(dataFile, half, at);
    if (damaged.length > 0) await rescue(dataFile, half, edge);
    const made = { ...check(half), damaged };
    // order: a link fails where the name was taken meanwhile; a rename would replace it.
    linkSync(half, target);
    syncFolder(dirname(target));
    return made;
  } catch (error) {
    if (error instanceof StoreUnusable) throw error;
    throw new StoreUnusable(`${dataFile} can't be backed up to ${target}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    for (const left of [half, `${half}-journal`]) rmSync(left, { force: true });
  }
}

/** Why the copy is not all of the world, if so; then there is none. `edge`: how far an edge's copy is. */
function copied(from: string, to: string, edge: Pick<EdgeCopy, 'world' | 'revision'> | undefined): readonly string[] {
  if (!existsSync(from)) return [`${from} is gone`];
  const reason = whyNot(headerOf(from));
  // A version that does not know the format can't say what in it is damaged.
  if (reason !== undefined && /newer/.test(reason)) throw new StoreUnusable(`${from} can't be backed up: ${reason}`);
  if (reason !== undefined) return [reason];
  try {
    copy(from, to);
  } catch (error) {
    const { errcode = 0, message } = error as { errcode?: number; message: string };
    if (!OF_FILE.has(errcode & 0xff)) throw error;
    return [message.replace(/\s+/g, ' '), ...withCopy(from, salvageCopy).damaged];
  }
  const db = new DatabaseSync(to);
  try {
    const { opened, rows, damaged } = salvage(db);
    const revision = Math.max(opened?.compacted ?? 0, revisionOf(rows.at(-1)?.id ?? 0));
    if (edge?.world !== opened?.world || !edge || edge.revision <= revision) return damaged;
    return [...damaged, `the revisions ${revision + 1} to ${edge.revision} are missing`];
  } finally {
    db.close();
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const OF_FILE = new Set([11, 26]);

/** A new file with what can be read. */
async function rescue(from: string, to: string, edge: EdgeCopySource | undefined): Promise<void> {
  const found = withCopy(from, salvageCopy);
  const copy = await edge?.read();
  const rows = joined(found.rows, found.opened && copy?.world !== found.opened.world ? undefined : copy);
  if (rows.length === 0) throw new Error('nothing of it can be read');
  for (const left of [to, `${to}-journal`]) rmSync(left, { force: true });
  closeSync(openSync(to, 'wx', 0o600));
  const db = new DatabaseSync(to);
  try {
    db.exec(`PRAGMA synchronous = FULL; BEGIN; ${CREATE}`);
    db.prepare('INSERT INTO meta VALUES (?, ?), (?, ?)').run(
      'world',
      systemRng.uuid(),
      'compacted',
      `${revisionOf(rows.at(-1)?.id ?? 0)}`,
    );
    const add = db.prepare('INSERT INTO record VALUES (?, ?, ?)');
    for (const { id, key, text } of rows) add.run(id, key, text);
    db.exec('COMMIT');
    addMissingSums(db);
    db.exec('PRAGMA journal_mode = WAL');
  } finally {
    db.close();
  }
}

function headerOf(path: string): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, 'r');
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}

function copy(from: string, to: string): void {
  // not: read-only. The last connection to a world at rest must be able to tidy up after itself.
  const db = new DatabaseSync(from);
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

function check(path: string): Omit<Backup, 'damaged'> {
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA synchronous = FULL');
    const found = pragma(db, 'integrity_check');
    if (found !== 'ok') throw new Error(`the copy is damaged (${String(found)})`);
    db.prepare("UPDATE meta SET value = ? WHERE name = 'world'").run(systemRng.uuid());
    const revision = db.prepare(`
      SELECT max((SELECT ifnull(max(id), 0) / 65536 FROM record),
                 (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'compacted')) AS revision
    `);
    return {
      revision: Number(revision.get()?.['revision']),
      bytes: Number(pragma(db, 'page_count')) * Number(pragma(db, 'page_size')),
    };
  } finally {
    db.close();
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
