/**
 * How a world is laid down on one machine: an append-only log of rows, numbered so that a row's number tells its
 * revision. A row is never changed; the newest row of a key is its value, older ones are history until compaction.
 */
import type { Partial, Revision } from '../store.ts';

/** A row's number: its revision times ROWS_PER_REVISION plus its place in the commit. */
export type RowId = number;

/** `text` is the value (text.ts); null where the commit deleted the key. */
export interface Row {
  readonly id: RowId;
  readonly key: string;
  readonly text: string | null;
}

/** limit: 2^16 changes in one commit leave 2^37 revisions below 2^53; four years of 1,000 a second without a pause. */
export const ROWS_PER_REVISION = 65_536;

export const rowId = (revision: Revision, place: number): RowId => revision * ROWS_PER_REVISION + place;
export const revisionOf = (id: RowId): Revision => Math.floor(id / ROWS_PER_REVISION);

/** The content of a medium when it opened. */
export interface Opened {
  readonly world: string;
  readonly compacted: Revision;
  readonly partial?: Partial;
}

/** Where rows are kept. One caller (local-store.ts), one call of persist or forget at a time. */
export interface Medium {
  /** Calls back for every row there is, in order of id; `bytes` is undefined where the row is a deletion. */
  scan(visit: (id: RowId, key: string, bytes: number | undefined) => void): void;
  /** The row's text; undefined where the row is gone or is a deletion. */
  text(id: RowId): string | undefined;
  /** The same of many rows at once; those that are gone are missing. */
  texts(ids: readonly RowId[]): ReadonlyMap<RowId, string>;
  /** Rows from `first` to `last` inclusive, in order. */
  rows(first: RowId, last: RowId): Row[];
  /** Resolves once every row is durable; rejects with none of them kept. */
  persist(rows: readonly Row[]): Promise<void>;
  /** Drops rows and remembers how far history is gone; all or nothing. */
  forget(ids: readonly RowId[], compacted: Revision): Promise<void>;
  /** Why nothing can be persisted for now; absent where that is known only when it is tried. */
  refusal?(): string | undefined;
  close(): Promise<void>;
}
