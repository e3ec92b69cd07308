/**
 * A checksum for each row, in a table of its own, so that a version without checksums can still work on the file: rows it
 * wrote have none, and get theirs when the file is next opened for writing. Called by the writer and by readers of whole files.
 */
import type { DatabaseSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { fromText } from '../local/text.ts';

export const CREATE_SUMS = 'CREATE TABLE IF NOT EXISTS sum (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL)';
/** A checksum that no row has. */
const WRONG = -1;

export function sumOf(id: number, key: string, text: string | null): number {
  return crc32(text === null ? `${id} ${key}` : `${id} ${key} ${text}`);
}

/** A row without a noted checksum: if it can't be read now, it was damaged before. */
function firstSum(id: unknown, key: unknown, text: unknown): number {
  try {
    if (text !== null) fromText(text as string);
    return sumOf(id as number, key as string, text as string | null);
  } catch {
    return WRONG;
  }
}

export function addMissingSums(db: DatabaseSync): void {
  db.exec(CREATE_SUMS);
  db.function('first_sum', firstSum);
  // Rows are only added at the end, so those without are behind the last that has one.
  db.exec(`
    INSERT INTO sum SELECT id, first_sum(id, key, value) FROM record
    WHERE id > (SELECT ifnull(max(id), -1) FROM sum)
  `);
}

export function hasSums(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sum'").get() !== undefined;
}
