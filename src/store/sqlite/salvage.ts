/**
 * Everything that can be read of a world's file, row by row, and the name of what can't: a row whose checksum is wrong, a
 * page that is cut off. Changes nothing but the copy it is given. Called where a file can't be opened as it is, by
 * `edgefour backup` and by `edgefour doctor`.
 */
import { closeSync, copyFileSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Opened, revisionOf, type Row, type RowId, ROWS_PER_REVISION } from '../local/rows.ts';
import { readMeta } from './medium.ts';
import { hasSums, sumOf } from './sums.ts';

export interface Salvaged {
  /** undefined where the table that says it can't be read. */
  readonly opened: Opened | undefined;
  /** In order; sound, as far as their checksums tell. */
  readonly rows: readonly Row[];
  /** One line each; empty where the file is sound. */
  readonly damaged: readonly string[];
}

/** order: memory first. The disk of temporary files is often the one that is full. */
const PLACES = ['/dev/shm', tmpdir()];

/** Calls `read` with a copy of the file and of its log, which is gone afterwards. Throws where there is no room for one. */
export function withCopy<T>(path: string, read: (copy: string) => T): T {
  let failure: unknown;
  for (const place of PLACES) {
    let folder: string | undefined;
    try {
      folder = mkdtempSync(join(place, 'edgefour-world-'));
      const copy = join(folder, 'world');
      for (const suffix of ['', '-wal'])
        if (statSync(path + suffix, { throwIfNoEntry: false })) copyFileSync(path + suffix, copy + suffix);
      return read(copy);
    } catch (error) {
      failure ??= error;
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    }
  }
  throw failure;
}

/** The damage of the file, also while a process works on it. Throws where the file can't be read. */
export function damageOf(path: string): readonly string[] {
  let db: DatabaseSync;
  try {
    db = new DatabaseSync(path, { readOnly: true });
    db.prepare('SELECT 1 FROM meta').get();
  } catch {
    // A full disk has no room for what reading beside a writer takes.
    return withCopy(path, salvageCopy).damaged;
  }
  try {
    return salvage(db).damaged;
  } finally {
    db.close();
  }
}

/** `path` is a copy: where it is cut off, it is made as long as it was, with nothing in the end. */
export function salvageCopy(path: string): Salvaged {
  let db: DatabaseSync | undefined;
  try {
    lengthen(path);
    db = new DatabaseSync(path);
    return salvage(db);
  } catch (error) {
    return { opened: undefined, rows: [], damaged: [lineOf(error)] };
  } finally {
    db?.close();
  }
}

export function salvage(db: DatabaseSync): Salvaged {
  const damaged: string[] = [];
  const opened = attempt(() => readMeta(db), damaged);
  const checked = attempt(() => Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0], damaged);
  if (checked !== undefined && checked !== 'ok') damaged.push(`its pages: ${String(checked).replace(/\s+/g, ' ')}`);
  const rows = attempt(() => readRows(db, damaged), damaged) ?? [];
  return { opened, rows, damaged: [...new Set(damaged)] };
}

const HEADER_BYTES = 32;

function lengthen(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    if (readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return;
    const bytes = (header.readUInt16BE(16) || ROWS_PER_REVISION) * header.readUInt32BE(28);
    // limit: a header that is damaged too must not ask for a file of terabytes.
    const { size } = statSync(path);
    if (bytes > size && bytes < size * 1_000 + 2 ** 30) ftruncateSync(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

type Found = readonly [id: RowId, key: unknown, text: unknown, crc: number | null];

/** limit: more than a damaged page has revisions; a hole of many pages is not felt out to its end. */
const MOST_IN_A_ROW = 1_000;
const SLICE = 1_000;

function readRows(db: DatabaseSync, damaged: string[]): Row[] {
  const [crc, lastSum] = hasSums(db)
    ? ['(SELECT crc FROM sum WHERE sum.id = record.id)', attempt(() => lastOf(db, 'sum'), damaged) ?? Infinity]
    : ['NULL', -1];
  const select = `SELECT id, key, value, ${crc} FROM record WHERE id BETWEEN ? AND ? ORDER BY id`;
  const between = db.prepare(select);
  const down = db.prepare(`${select} DESC LIMIT ${SLICE}`);
  for (const statement of [between, down]) statement.setReturnArrays(true);
  const rows = new Map<RowId, Row>();
  const lost: [from: RowId, to: RowId][] = [];
  let inARow = 0;

  /** The halves of what can't be read as a whole, down to a revision. */
  function read(from: RowId, to: RowId): void {
    if (inARow <= MOST_IN_A_ROW)
      try {
        const found = between.all(from, to) as unknown as Found[];
        for (const row of found) take(row);
        if (found.length > 0) inARow = 0;
        return;
      } catch {
        inARow++;
      }
    if (inARow > MOST_IN_A_ROW || to - from < ROWS_PER_REVISION) return lose(from, to);
    const middle = from + Math.floor((to - from) / 2);
    read(from, middle);
    read(middle + 1, to);
  }
  function lose(from: RowId, to: RowId): void {
    const before = lost.at(-1);
    if (before && before[1] + 1 === from) before[1] = to;
    else lost.push([from, to]);
  }
  /** Rows behind a hole that is too big to be felt out, from the last row back. */
  function readBack(from: RowId, to: RowId): RowId {
    for (let last = to; ;) {
      try {
        const found = down.all(from, last) as unknown as Found[];
        for (const row of found) take(row);
        if (found.length < SLICE) return found.at(-1)?.[0] ?? last;
        last = found.at(-1)![0] - 1;
      } catch {
        return last;
      }
    }
  }
  function take([id, key, text, crc]: Found): void {
    const isRow = typeof key === 'string' && (text === null || typeof text === 'string');
    if (isRow && (crc === null ? id > lastSum : crc === sumOf(id, key, text))) rows.set(id, { id, key, text });
    else damaged.push(`${isRow && KEY.test(key) ? key : 'a record'} (revision ${revisionOf(id)})`);
  }
  const last = attempt(() => lastOf(db, 'record'), damaged) ?? UNKNOWN;
  read(0, last);
  const hole = lost.at(-1);
  if (hole && last !== UNKNOWN && inARow > MOST_IN_A_ROW) hole[1] = readBack(hole[0], hole[1]);
  for (const [from, to] of lost)
    damaged.push(
      to === UNKNOWN
        ? `records of the revisions from ${revisionOf(from)} on`
        : `records of the revisions ${revisionOf(from)} to ${revisionOf(to)}`,
    );
  return [...rows.values()].toSorted((a, b) => a.id - b.id);
}

const KEY = /^[\x21-\x7e]{1,128}$/;
/** limit: of a file whose last row can't be read. */
const UNKNOWN = 2 ** 40;

function lastOf(db: DatabaseSync, table: 'record' | 'sum'): RowId {
  return Number(db.prepare(`SELECT max(id) AS id FROM ${table}`).get()?.['id'] ?? -1);
}

function attempt<T>(read: () => T, damaged: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    damaged.push(lineOf(error));
    return undefined;
  }
}

function lineOf(error: unknown): string {
  return (error as Error).message.replace(/\s+/g, ' ');
}
