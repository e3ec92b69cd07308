/**
 * A world on a disk that takes nothing just now: every row read into memory once, from a copy where SQLite can work, and
 * written to the file itself as soon as it can be opened for that. Opened by open.ts where the file can't be.
 */
import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { NotWritable } from '../errors.ts';
import type { Medium, Opened, Row, RowId } from '../local/rows.ts';

/** order: memory first. The disk of temporary files is often the one that is full. */
const PLACES = ['/dev/shm', tmpdir()];
/** limit: how often the file is tried; each time costs a thread. */
const AGAIN_MS = 1_000;

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

export interface Held {
  readonly opened: Opened;
  readonly rows: readonly Row[];
}

export function readAll(path: string, readMeta: (db: DatabaseSync) => Opened): Held {
  const db = new DatabaseSync(path);
  try {
    const found = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
    if (found !== 'ok') throw new Error(`it is damaged (${String(found).replace(/\s+/g, ' ')})`);
    const rows = db.prepare('SELECT id, key, value AS text FROM record ORDER BY id').all() as unknown as Row[];
    return { opened: readMeta(db), rows };
  } finally {
    db.close();
  }
}

export interface HeldOptions extends Held {
  /** Why the file can't be opened. */
  readonly reason: string;
  /** Opens the file itself. Rejects while that can't be. */
  readonly open: () => Promise<Medium>;
  readonly clock: Clock;
  readonly log: Log;
}

export function heldMedium({ rows, reason, open, clock, log }: HeldOptions): Medium {
  const kept = new Map(rows.map((row) => [row.id, row]));
  const ids = rows.map(({ id }) => id);
  let whole: Medium | undefined;
  let opening: Promise<void> | undefined;
  const again = clock.every(AGAIN_MS, () => void tryToOpen());

  function tryToOpen(): Promise<void> {
    return (opening ??= open().then(
      (medium) => {
        again.cancel();
        whole = medium;
        kept.clear();
        log.info('the desired state can be written again');
      },
      () => {
        opening = undefined;
      },
    ));
  }
  async function writable(): Promise<Medium> {
    await tryToOpen();
    if (!whole) throw new NotWritable(adviceFor(reason));
    return whole;
  }
  return {
    scan(visit) {
      for (const { id, key, text } of rows) visit(id, key, text === null ? undefined : Buffer.byteLength(text));
    },
    text: (id) => (whole ? whole.text(id) : (kept.get(id)?.text ?? undefined)),
    texts: (wanted) => (whole ? whole.texts(wanted) : textsOf(kept, wanted)),
    rows: (first, last) =>
      whole ? whole.rows(first, last) : ids.filter((id) => id >= first && id <= last).map((id) => kept.get(id)!),
    persist: async (added) => (await writable()).persist(added),
    forget: async (gone, compacted) => (await writable()).forget(gone, compacted),
    async close() {
      again.cancel();
      await opening;
      await whole?.close();
    },
  };
}

function textsOf(kept: ReadonlyMap<RowId, Row>, ids: readonly RowId[]): ReadonlyMap<RowId, string> {
  return new Map(
    ids.flatMap((id) => {
      const text = kept.get(id)?.text;
      return text === undefined || text === null ? [] : [[id, text] as const];
    }),
  );
}

/** For the caller of the API. */
export function adviceFor(reason: string): string {
  return `Nothing can be changed: the desired state cannot be written (${reason}). Make room on the disk of the data folder, or make it writable, then try again; no restart is needed.`;
}
