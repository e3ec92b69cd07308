/**
 * One process per data folder: an exclusive lock that the system releases however its holder ends, kill -9 included.
 * not: a pid file, which outlives its process, or flock(2), which Node doesn't have. SQLite's own file locks are both
 * safe and there. Where the folder takes no file (full, read-only) a name in the system stands in for the file until it
 * does. Called by a process that is about to work in a data folder.
 */
import { accessSync, closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../lib/clock.ts';

const SQLITE_BUSY = 5;
/** Locks until they are released: a lock that is referred to nowhere would be collected, and its file closed. */
const held = new Set<DatabaseSync>();
/** A folder that takes files again gets the lock's file this soon. */
const AGAIN_MS = 1_000;

export interface Lock {
  /** May be called twice. */
  release(): void;
}

/**
 * Takes the lock kept at `path`, a file of its own that stays empty. undefined where another process, or this one,
 * holds it. Throws where it can't be had at all.
 */
export function acquireLock(path: string): Lock | undefined {
  try {
    return lockFile(path);
  } catch (error) {
    if (process.platform !== 'linux') throw error;
    return lockName(path);
  }
}

function lockFile(path: string): Lock | undefined {
  // order: never once it is there. Closing any descriptor of a file drops every POSIX lock the process has on it.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  // A file that can only be read takes no exclusive lock, and SQLite does not say so.
  accessSync(path, constants.W_OK);
  const db = new DatabaseSync(path);
  try {
    // not: a journal on disk. A full one would refuse the lock.
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return;
    throw error;
  }
  held.add(db);
  return {
    release() {
      held.delete(db);
      if (db.isOpen) db.close();
    },
  };
}

/** limit: an abstract socket is of one network namespace; a process in another one is not kept out. */
function lockName(path: string): Lock | undefined {
  const { dev, ino } = statSync(dirname(path));
  const holder = createServer().on('error', () => {});
  holder.listen(`\0edgefour-${dev}-${ino}-${basename(path)}`);
  // It is bound, or not, when listen returns; only the event comes later.
  if (!holder.listening) return;
  holder.unref();
  let file: Lock | undefined;
  const again = systemClock.every(AGAIN_MS, () => {
    try {
      file = lockFile(path);
      if (file) again.cancel();
    } catch {
      // The folder takes no file yet.
    }
  });
  return {
    release() {
      again.cancel();
      file?.release();
      if (holder.listening) holder.close();
    },
  };
}
