/**
 * Worlds that can be read but not written. One on a disk that takes nothing just now: its rows are read into memory, and
 * written to the file itself as soon as it can be opened for that. One whose file is damaged: what can be read of it, and
 * what an edge's own copy has of the rest, until an operator puts a sound file in its place. Opened by open.ts.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { NotWritable } from '../errors.ts';
import { type Medium, revisionOf, type Row, rowId, type RowId, ROWS_PER_REVISION } from '../local/rows.ts';
import { toText } from '../local/text.ts';
import { EDGE_PREFIXES } from '../records.ts';
import type { EdgeCopy } from '../store.ts';

/** limit: how often the file is tried; each time costs a thread. */
const AGAIN_MS = 1_000;

interface HeldOptions {
  readonly rows: readonly Row[];
  /** Why the file can't be opened. */
  readonly reason: string;
  /** Opens the file itself. Rejects while that can't be. */
  readonly open: () => Promise<Medium>;
  readonly clock: Clock;
  readonly log: Log;
}

export function heldMedium({ rows, reason, open, clock, log }: HeldOptions): Medium {
  const inMemory = rowsInMemory(rows);
  let whole: Medium | undefined;
  let opening: Promise<void> | undefined;
  const again = clock.every(AGAIN_MS, () => void tryToOpen());

  function tryToOpen(): Promise<void> {
    return (opening ??= open().then(
      (medium) => {
        again.cancel();
        whole = medium;
        inMemory.clear();
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
    scan: (visit) => inMemory.scan(visit),
    text: (id) => (whole ?? inMemory).text(id),
    texts: (ids) => (whole ?? inMemory).texts(ids),
    rows: (first, last) => (whole ?? inMemory).rows(first, last),
    persist: async (added) => (await writable()).persist(added),
    forget: async (gone, compacted) => (await writable()).forget(gone, compacted),
    refusal: () => (whole ? undefined : `the desired state cannot be written: ${reason}`),
    async close() {
      again.cancel();
      await opening;
      await whole?.close();
    },
  };
}

/** For the caller of the API. */
export function adviceFor(reason: string): string {
  return `Nothing can be changed: the desired state cannot be written (${reason}). Make room on the disk of the data folder, or make it writable, and try again.`;
}

/** Takes what settings say, in memory alone, until `isSealed`. */
export function partialMedium(rows: readonly Row[], isSealed: () => boolean): Medium {
  const inMemory = rowsInMemory(rows);
  return {
    ...inMemory,
    async persist(added) {
      if (isSealed())
        throw new NotWritable(
          'Nothing can be changed: the desired state on disk is damaged (`edgefour status` says how). `edgefour backup FILE` saves what can be read; put FILE in the place of world.sqlite and start again.',
        );
      inMemory.add(added);
    },
    async forget() {},
    async close() {},
  };
}

function rowsInMemory(rows: readonly Row[]) {
  const kept = new Map<RowId, Row>(rows.map((row) => [row.id, row]));
  return {
    add(added: readonly Row[]): void {
      for (const row of added) kept.set(row.id, row);
    },
    clear: () => kept.clear(),
    scan(visit: Parameters<Medium['scan']>[0]): void {
      for (const { id, key, text } of rows) visit(id, key, text === null ? undefined : Buffer.byteLength(text));
    },
    text: (id: RowId) => kept.get(id)?.text ?? undefined,
    texts: (ids: readonly RowId[]) =>
      new Map(
        ids.flatMap((id) => {
          const text = kept.get(id)?.text;
          return text === undefined || text === null ? [] : [[id, text] as const];
        }),
      ),
    rows: (first: RowId, last: RowId) => [...kept.values()].filter(({ id }) => id >= first && id <= last),
  };
}

/**
 * The newest row of each key, with what an edge's copy has that is newer or missing. The copy is whole at its revision, so
 * what it no longer has was deleted before that.
 */
export function joined(rows: readonly Row[], copy: EdgeCopy | undefined): Row[] {
  const current = new Map<string, Row>();
  for (const row of rows) current.set(row.key, row);
  const copied = new Map(copy?.records.map((record) => [record.key, record]));
  for (const [key, { id }] of current) {
    const isFollowed = EDGE_PREFIXES.some((prefix) => key.startsWith(prefix));
    if (copy && isFollowed && revisionOf(id) <= copy.revision && !copied.has(key)) current.delete(key);
  }
  // Places at the end of a revision, which no commit of this program is long enough to have.
  let place = ROWS_PER_REVISION - 1;
  for (const { key, value, revision } of copied.values()) {
    const known = current.get(key);
    if (known && revisionOf(known.id) >= revision) continue;
    current.set(key, { id: rowId(revision, place--), key, text: toText(value) });
  }
  return [...current.values()].filter(({ text }) => text !== null).toSorted((a, b) => a.id - b.id);
}
