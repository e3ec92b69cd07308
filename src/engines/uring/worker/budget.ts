/**
 * The descriptors that a worker may have open. What needs one asks first, so that the limit of the process is never met in
 * the middle of a connection; without room it waits or is given up, which is the caller's choice. The shares of workers are
 * derived here, too: for the engine, and for the probe and the doctor, which quote them.
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

/** limit: files, links and connections of the node engine keep a tenth, and at least this many, for themselves. */
const RESERVED = 256;
/** limit: state is laid out for this many at most; half of them TCP connections. */
const MOST = 1 << 20;

/** The descriptors for all workers together, of those that the process may have open. */
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

/** The share of one of these workers. */
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
