/**
 * The id of a data folder's edge, by which its tables in the kernel are known: kept in a file, so it goes where the folder
 * goes. Until 0.1.0 a table had the text of the folder's path instead; the owner of such a table is found here, too. Called by tables.ts.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Rng } from '../../lib/rng.ts';
import { acquireLock } from '../../store/sqlite/lock.ts';

const ID = /^[0-9a-f]{16}$/;

/** `undefined`: none is kept there. */
export function readId(path: string): string | undefined {
  try {
    const id = readFileSync(path, 'latin1').trim();
    return ID.test(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** A new one, kept if the folder lets it be; if not, it lasts as long as the process. */
export function makeId(path: string, rng: Rng): string {
  const id = rng.uuid().replaceAll('-', '').slice(0, 16);
  try {
    // not: recursive. Where nothing can be made, node's recursion does not end.
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { mode: 0o700 });
    writeFileSync(path, `${id}\n`, { mode: 0o600 });
  } catch {
    // The next start makes another, and takes over from this one.
  }
  return id;
}

/** limit: what 0.1.0 cut its names to. */
const OLD_NAME_LETTERS = 100;

function oldName(folder: string): string {
  return folder.replaceAll(/[^\w./-]/g, '_').slice(-OLD_NAME_LETTERS);
}

/** Whose a table is that has only such a name. An owner that can't be found out counts as living. */
export function ownerOfOldName(name: string, folder: string): 'ours' | 'abandoned' | 'living' {
  if (name === oldName(folder) || name === oldName(realOf(folder))) return 'ours';
  if (!name.startsWith('/') || name.length >= OLD_NAME_LETTERS) return 'living';
  // An underscore may stand for any other letter.
  if (!existsSync(name)) return name.includes('_') ? 'living' : 'abandoned';
  if (isSameFolder(name, folder)) return 'ours';
  return isLocked(join(name, 'edge.lock')) ? 'living' : 'abandoned';
}

function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const lock = acquireLock(path);
    lock?.release();
    return lock === undefined;
  } catch {
    return true;
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function isSameFolder(a: string, b: string): boolean {
  try {
    const one = statSync(a);
    const other = statSync(b);
    return one.dev === other.dev && one.ino === other.ino;
  } catch {
    return false;
  }
}
