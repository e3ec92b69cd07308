/**
 * A copy of a world as one file, consistent at one revision, whether a process works on the world or not. The copy gets
 * a world id of its own: restored, its revisions may name other contents than the ones that edges and watchers saw.
 */
import { closeSync, existsSync, linkSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemRng } from '../../lib/rng.ts';
import { StoreUnusable } from '../errors.ts';
import type { Revision } from '../store.ts';
import { APPLICATION_ID, FORMAT, syncFolder } from './format.ts';

export interface Backup {
  readonly revision: Revision;
  readonly bytes: number;
}

/**
 * Copies the world in `dataFile` to the new file `target`, readable by its owner alone, checked and durable once
 * returned. Blocks while it copies. Throws StoreUnusable where there is no world, where `target` exists already or where
 * the copy is not sound; `target` then is as it was.
 */
export function backup(dataFile: string, target: string): Backup {
  if (!existsSync(dataFile)) throw new StoreUnusable(`${dataFile} doesn't exist: there is nothing to back up`);
  if (existsSync(target)) throw new StoreUnusable(`${target} exists already: name another file`);
  const half = `${target}.partial`;
  try {
    rmSync(half, { force: true });
    // The copy holds secrets too; SQLite fills an empty file but would make a new one readable.
    closeSync(openSync(half, 'wx', 0o600));
    copy(dataFile, half);
    const made = check(half);
    // order: a link fails where the name was taken meanwhile; a rename would replace it.
    linkSync(half, target);
    syncFolder(dirname(target));
    return made;
  } catch (error) {
    throw new StoreUnusable(`${dataFile} can't be backed up to ${target}: ${(error as Error).message}`, {
      cause: error,
    });
  } finally {
    for (const left of [half, `${half}-journal`]) rmSync(left, { force: true });
  }
}

function copy(from: string, to: string): void {
  // not: read-only. The last connection to a world at rest must be able to tidy up after itself.
  const db = new DatabaseSync(from);
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    const ours = pragma(db, 'application_id') === APPLICATION_ID && Number(pragma(db, 'user_version')) <= FORMAT;
    if (!ours) throw new Error('it is not a world of this version of EdgeFour');
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

function check(path: string): Backup {
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
