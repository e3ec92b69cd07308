/**
 * The file a world lives in: how it is marked, how it is made, and what can be told of one from its first bytes without
 * opening it. Nothing here changes a file that exists.
 */
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnusable } from '../errors.ts';
import { CREATE_SUMS } from './sums.ts';

/** `EdF4` in ASCII. */
export const APPLICATION_ID = 0x45_64_46_34;
/** limit: the newest layout this program knows. It is raised together with a step that brings older files up. */
export const FORMAT = 1;

const MAGIC = 'SQLite format 3\0';
export const HEADER_BYTES = 100;

export const CREATE = `
  CREATE TABLE record (id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT);
  ${CREATE_SUMS};
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/** Why the file with these first bytes is not a world this program can open; undefined where it is. */
export function whyNot(header: Uint8Array): string | undefined {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.byteLength);
  if (bytes.length === 0) return 'it is empty: restore a backup, or move it away to start anew';
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    return 'it is not an EdgeFour world: choose another data folder, or move the file away';
  }
  if (bytes.readUInt32BE(68) !== APPLICATION_ID) {
    return "it is another program's database: choose another data folder";
  }
  const format = bytes.readUInt32BE(60);
  if (format > FORMAT) return `its format is ${format} and this version knows ${FORMAT}: use a newer EdgeFour`;
}

/**
 * Makes the file with a new world where there is none; throws StoreUnusable where what is there can't be used.
 * order: before this process has the file open. Closing a descriptor of it would drop SQLite's POSIX locks on it.
 */
export function prepare(path: string, world: string): void {
  try {
    if (!existsSync(path)) return create(path, world);
    const header = Buffer.alloc(HEADER_BYTES);
    const file = openSync(path, 'r');
    const length = readSync(file, header, 0, HEADER_BYTES, 0);
    closeSync(file);
    const reason = whyNot(header.subarray(0, length));
    if (reason) throw new StoreUnusable(`${path} can't be opened: ${reason}`);
  } catch (error) {
    if (error instanceof StoreUnusable) throw error;
    throw new StoreUnusable(`${path} can't be opened: ${(error as Error).message}`, { cause: error });
  }
}

/** Complete under another name first, so that a crash never leaves half a file that looks like a world. */
function create(path: string, world: string): void {
  if (existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0) {
    throw new StoreUnusable(`${path} is gone but ${path}-wal is there: restore a backup, or move that away too`);
  }
  const half = `${path}.new`;
  for (const left of [half, `${half}-journal`]) rmSync(left, { force: true });
  // The store holds secrets, and SQLite gives its side files the mode of the main one.
  closeSync(openSync(half, 'wx', 0o600));
  const db = new DatabaseSync(half);
  db.exec(`PRAGMA synchronous = FULL; BEGIN; ${CREATE} COMMIT;`);
  db.prepare('INSERT INTO meta VALUES (?, ?), (?, ?)').run('world', world, 'compacted', '0');
  db.exec('PRAGMA journal_mode = WAL');
  db.close();
  renameSync(half, path);
  syncFolder(dirname(path));
}

/** A new name is durable once its folder is. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
