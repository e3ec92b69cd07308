/**
 * The least of many revisions that come and go, kept so that none of them is looked at again: how far the slowest edge is.
 * Revisions are linked in order; one that is new is looked for from the newest, where it almost always belongs. Used by
 * acks.ts.
 */
interface Held {
  readonly revision: number;
  count: number;
  older: Held | undefined;
  newer: Held | undefined;
}

export class Least {
  readonly #held = new Map<number, Held>();
  #oldest: Held | undefined;
  #newest: Held | undefined;

  /** Undefined: there is none. */
  get value(): number | undefined {
    return this.#oldest?.revision;
  }

  add(revision: number): void {
    const held = this.#held.get(revision);
    if (held) held.count += 1;
    else this.#insert(revision);
  }

  /** One that was added. */
  remove(revision: number): void {
    const held = this.#held.get(revision);
    if (!held || (held.count -= 1) > 0) return;
    this.#held.delete(revision);
    if (held.older) held.older.newer = held.newer;
    else this.#oldest = held.newer;
    if (held.newer) held.newer.older = held.older;
    else this.#newest = held.older;
  }

  #insert(revision: number): void {
    let older = this.#newest;
    while (older && older.revision > revision) older = older.older;
    const newer = older ? older.newer : this.#oldest;
    const held = { revision, count: 1, older, newer };
    this.#held.set(revision, held);
    if (older) older.newer = held;
    else this.#oldest = held;
    if (newer) newer.older = held;
    else this.#newest = held;
  }
}
