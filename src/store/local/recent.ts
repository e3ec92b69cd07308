/**
 * A memory of the values used last, by row. Rows never change, so nothing here is ever stale; two generations bound it:
 * when the young one is full, the old one goes.
 */
import type { RowId } from './rows.ts';
import { fromText } from './text.ts';

/** limit: the keys, policies, zones and plans that every call looks up, and the instances being worked on: < 10 MB. */
const ENTRIES = 512;
/** limit: an instance of about 60 rules; bigger ones are parsed each time. */
const MAX_TEXT = 16_384;

export class RecentValues {
  #young = new Map<RowId, unknown>();
  #old = new Map<RowId, unknown>();

  get(id: RowId): unknown {
    const young = this.#young.get(id);
    if (young !== undefined) return young;
    const old = this.#old.get(id);
    if (old !== undefined) this.#keep(id, old);
    return old;
  }

  /** The value the text stands for, which is kept unless it is big. */
  parse(id: RowId, text: string): unknown {
    const value = fromText(text);
    if (text.length <= MAX_TEXT) this.#keep(id, value);
    return value;
  }

  #keep(id: RowId, value: unknown): void {
    if (this.#young.size >= ENTRIES) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, value);
  }
}
