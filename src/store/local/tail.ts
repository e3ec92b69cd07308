/**
 * The newest rows, still in memory: watchers and the next call on the same record ask for them right after a commit, when
 * asking the medium costs most. Whole revisions, always the newest ones without a gap.
 */
import type { Revision } from '../store.ts';
import { revisionOf, type Row, type RowId, rowId } from './rows.ts';

/** limit: far more than a watcher that keeps up is behind. */
const MAX_ROWS = 1_024;
/** limit: characters of text; a big instance's rows push out many small ones. */
const MAX_TEXT = 4 * 1024 * 1024;

export class Tail {
  #rows: Row[] = [];
  #text = 0;

  /** The rows of one or more revisions, after all that were added before. */
  add(rows: readonly Row[]): void {
    this.#rows.push(...rows);
    for (const { text } of rows) this.#text += text?.length ?? 0;
    if (this.#rows.length <= MAX_ROWS && this.#text <= MAX_TEXT) return;
    let drop = 0;
    while (this.#rows.length - drop > MAX_ROWS / 2 || this.#text > MAX_TEXT / 2) {
      this.#text -= this.#rows[drop++]?.text?.length ?? 0;
    }
    const cut = this.#rows[drop - 1];
    // The rest of a revision that lost its first rows goes too.
    while (cut && this.#rows[drop] && revisionOf(this.#rows[drop]!.id) === revisionOf(cut.id)) {
      this.#text -= this.#rows[drop++]!.text?.length ?? 0;
    }
    this.#rows.splice(0, drop);
  }

  /** All rows of these revisions; undefined where some of them are not here any more. */
  rows(from: Revision, to: Revision): readonly Row[] | undefined {
    const [oldest] = this.#rows;
    if (!oldest || revisionOf(oldest.id) > from) return undefined;
    return this.#rows.slice(this.#place(rowId(from, 0)), this.#place(rowId(to + 1, 0)));
  }

  text(id: RowId): string | undefined {
    const row = this.#rows[this.#place(id)];
    return row?.id === id ? (row.text ?? undefined) : undefined;
  }

  /** Where the first row of at least this number is. */
  #place(id: RowId): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#rows[middle]!.id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
