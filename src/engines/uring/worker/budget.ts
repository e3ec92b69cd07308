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

  get free(): number {
    return this.limit - this.#used;
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

/** limit: files, links and the node engine's own connections keep a tenth, and at least this many, for themselves. */
const RESERVED = 256;
/** limit: state is laid out for this many at most; half of them TCP connections. */
const MOST = 1 << 20;

/** What the workers may have together, of all that the process may have open. */
export function unreserved(limit: number): number {
  const most = Math.min(limit, MOST);
  return Math.max(0, most - Math.max(RESERVED, most / 10));
}

/** limit: room for a few connections, a ring and listening sockets; with less the node engine does better. */
export const LEAST_SHARE = 32;

export interface Share {
  readonly descriptors: number;
  /** TCP connections, each with a descriptor to either side. UDP sessions and listening sockets take one each of the same. */
  readonly slots: number;
}

/** Of each of so many workers. */
export function shareOf(all: number, workers: number): Share {
  const descriptors = Math.floor(all / workers);
  return { descriptors, slots: Math.floor(descriptors / 2) };
}

/**
 * limit: what the system counts as locked of a user without CAP_IPC_LOCK, measured on Linux 6.18: 712 KiB a worker, for its
 * ring and the rings of its buffers.
 */
export function lockedBytes(workers: number): number {
  return workers * 720 * 1024;
}
