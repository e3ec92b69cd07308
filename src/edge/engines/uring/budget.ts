/**
 * How many descriptors a worker may have open. Everything that needs one asks first, so that the limit of the process is
 * never met in the middle of a connection: what cannot have one waits, and is told when there are some again.
 */
export class Budget {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** False: not now. */
  take(count: number): boolean {
    if (this.#used + count > this.limit) return false;
    this.#used += count;
    return true;
  }

  has(count: number): boolean {
    return this.#used + count <= this.limit;
  }

  give(count: number): void {
    this.#used -= count;
  }
}
