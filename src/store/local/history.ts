/**
 * What of the log is history and how much of it may stay. Knows rows by number and size, never their content; decides
 * what may go and leaves the doing to local-store.ts.
 */
import type { Revision } from '../store.ts';
import { revisionOf, type RowId } from './rows.ts';

/** limit: records are whole instances, so many small changes of a big one could otherwise fill the disk. */
const MAX_BYTES = 64 * 1024 * 1024;

export class History {
  compacted: Revision;
  readonly #limit: number;
  /** Bytes of each revision after `compacted`, and their sum. */
  #sizes: number[] = [];
  #bytes = 0;
  /** Rows that hold no key's value any more, in the order of the revisions that ended them. */
  #dead: { readonly id: RowId; readonly ended: Revision }[] = [];

  constructor(compacted: Revision, limit: number) {
    this.compacted = compacted;
    this.#limit = limit;
  }

  /** A row was added; `replaced` is the row it put an end to. Rows come in order. */
  added(id: RowId, bytes: number | undefined, replaced: RowId | undefined): void {
    const revision = revisionOf(id);
    if (replaced !== undefined) this.#dead.push({ id: replaced, ended: revision });
    // A deletion is history and nothing else: it is over as soon as no watcher needs to hear of it.
    if (bytes === undefined) this.#dead.push({ id, ended: revision });
    if (revision <= this.compacted) return;
    const place = revision - this.compacted - 1;
    this.#sizes[place] = (this.#sizes[place] ?? 0) + (bytes ?? 0);
    this.#bytes += bytes ?? 0;
  }

  /** The revision to compact to, once history is a tenth above its bounds; else undefined. */
  overdue(): Revision | undefined {
    const slack = this.#limit / 10;
    if (this.#sizes.length <= this.#limit + slack && this.#bytes <= MAX_BYTES * 1.1) return;
    let drop = Math.max(0, this.#sizes.length - this.#limit);
    let bytes = this.#bytes;
    for (let i = 0; i < drop; i++) bytes -= this.#sizes[i] ?? 0;
    while (bytes > MAX_BYTES) bytes -= this.#sizes[drop++] ?? 0;
    return this.compacted + drop;
  }

  /** Rows that no reader can ask for once history up to and including `upTo` is gone. */
  deadAt(upTo: Revision): RowId[] {
    const after = this.#dead.findIndex((row) => row.ended > upTo);
    return this.#dead.slice(0, after === -1 ? this.#dead.length : after).map((row) => row.id);
  }

  /** Those rows are gone. */
  compact(upTo: Revision): void {
    this.#dead = this.#dead.filter((row) => row.ended > upTo);
    const gone = this.#sizes.splice(0, upTo - this.compacted);
    this.#bytes -= gone.reduce((sum, bytes) => sum + bytes, 0);
    this.compacted = upTo;
  }
}
