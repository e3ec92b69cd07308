/**
 * One process per data folder: an exclusive lock that the system releases however its holder ends, kill -9 included.
 * not: a pid file, which outlives its process, or flock(2), which Node doesn't have. SQLite's own file locks are both
 * safe and there. Called by whoever is about to work in a data folder.
 */
import { closeSync, existsSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

export interface Lock {
  /** May be called twice. */
  release(): void;
}

/**
 * Takes the lock kept at `path`, a file of its own that stays empty. undefined where another process, or this one,
 * holds it. Throws where the file can't be made or opened.
 */
export function acquireLock(path: string): Lock | undefined {
  // order: never once it is there. Closing any descriptor of a file drops every POSIX lock the process has on it.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path);
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return;
    throw error;
  }
  return {
    release() {
      if (db.isOpen) db.close();
    },
  };
}
