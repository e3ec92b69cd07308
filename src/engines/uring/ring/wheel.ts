/**
 * One timer wheel for everything that waits: an entry is a number (a slot, a flow) and costs two words. Setting, clearing
 * and firing are O(1); nothing is allocated. It keeps no due times: it calls back at or after the time asked for, or
 * earlier where that lies beyond its horizon, and the caller, which knows the due time, sets it again. Pure. One per worker.
 */
export class Wheel {
  readonly tickMs: number;
  /** Entries that wait; only the wheel writes it. */
  count = 0;
  readonly #next: Int32Array;
  readonly #prev: Int32Array;
  readonly #buckets: number;
  readonly #capacity: number;
  #current: number;

  /** Entries are 0 … capacity−1. `buckets` is a power of two; the horizon is buckets × tickMs. */
  constructor(capacity: number, tickMs: number, buckets: number, nowMs: number) {
    this.tickMs = tickMs;
    this.#capacity = capacity;
    this.#buckets = buckets;
    this.#current = Math.floor(nowMs / tickMs);
    // Each bucket is a circular list whose head lives behind the entries; -1: the entry is in no list.
    this.#next = new Int32Array(capacity + buckets).fill(-1);
    this.#prev = new Int32Array(capacity + buckets).fill(-1);
    for (let head = capacity; head < capacity + buckets; head++) this.#next[head] = this.#prev[head] = head;
  }

  set(entry: number, dueMs: number): void {
    this.clear(entry);
    const ahead = Math.ceil(dueMs / this.tickMs) - this.#current;
    const steps = Math.max(1, Math.min(ahead, this.#buckets - 1));
    this.#link(entry, this.#head(this.#current + steps));
  }

  clear(entry: number): void {
    const next = this.#next[entry] ?? -1;
    if (next < 0) return;
    const prev = this.#prev[entry] ?? -1;
    this.#next[prev] = next;
    this.#prev[next] = prev;
    this.#next[entry] = -1;
    this.count--;
  }

  /** Fires everything that is due by now; `fire` may set and clear any entry, also its own. */
  advance(nowMs: number, fire: (entry: number) => void): void {
    const target = Math.floor(nowMs / this.tickMs);
    // After a long sleep one turn of the wheel visits every bucket; more turns would find nothing new.
    if (target - this.#current > this.#buckets) this.#current = target - this.#buckets;
    while (this.#current < target) {
      this.#current++;
      const head = this.#head(this.#current);
      // order: an entry that `fire` sets again never lands in this bucket (set() goes at least one step ahead), so this ends.
      for (let entry = this.#next[head] ?? head; entry !== head; entry = this.#next[head] ?? head) {
        this.clear(entry);
        fire(entry);
      }
    }
  }

  #head(tick: number): number {
    return this.#capacity + (tick & (this.#buckets - 1));
  }

  #link(entry: number, head: number): void {
    const last = this.#prev[head] ?? head;
    this.#next[last] = entry;
    this.#prev[entry] = last;
    this.#next[entry] = head;
    this.#prev[head] = entry;
    this.count++;
  }
}
