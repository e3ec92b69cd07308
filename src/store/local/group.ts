/**
 * One group of commits that became durable together: decided here, purely, in the order they came. Each commit's guards
 * are checked against the world as the ones before it in the group leave it, and each gets a revision of its own.
 */
import type { Change, Committed, Guard, Revision } from '../store.ts';
import { revisionOf, type Row, type RowId, rowId, ROWS_PER_REVISION } from './rows.ts';
import { toText } from './text.ts';

/** A commit that waits, its values already text: a value that can't be JSON fails its caller alone. */
export interface Proposal {
  readonly rows: readonly { readonly key: string; readonly text: string | null }[];
  readonly guards: readonly Guard[];
}

interface Decision {
  /** All rows of the group, in order. */
  readonly rows: readonly Row[];
  /** One for each proposal. */
  readonly answers: readonly Committed[];
}

/** limit: keys are bytes to SQLite and UTF-16 to JavaScript; in printable ASCII both sort them alike. */
const KEY = /^[\x21-\x7e]{1,512}$/;

export function propose(changes: readonly Change[], guards: readonly Guard[]): Proposal {
  if (changes.length > ROWS_PER_REVISION) throw new RangeError(`a commit of ${changes.length} changes is too big`);
  const rows = changes.map(({ key, value }) => {
    if (!KEY.test(key)) throw new RangeError(`${JSON.stringify(key)} can't be a key`);
    return { key, text: value === undefined ? null : toText(value) };
  });
  return { rows, guards };
}

/** `current` tells the row that holds a key's value; undefined where there is none. */
export function decide(
  proposals: readonly Proposal[],
  from: Revision,
  current: (key: string) => RowId | undefined,
): Decision {
  const rows: Row[] = [];
  const ahead = new Map<string, Revision>();
  let revision = from;
  function at(key: string): Revision {
    const known = ahead.get(key);
    if (known !== undefined) return known;
    const id = current(key);
    return id === undefined ? 0 : revisionOf(id);
  }
  const answers = proposals.map((proposal): Committed => {
    if (!proposal.guards.every((guard) => at(guard.key) === guard.revision)) return { ok: false };
    const changing = proposal.rows.filter((row) => row.text !== null || at(row.key) !== 0);
    if (changing.length === 0) return { ok: true, revision };
    revision++;
    changing.forEach(({ key, text }, place) => {
      rows.push({ id: rowId(revision, place), key, text });
      ahead.set(key, text === null ? 0 : revision);
    });
    return { ok: true, revision };
  });
  return { rows, answers };
}
