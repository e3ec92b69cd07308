/**
 * Datagrams that may have to be sent again: of each session whose origin has not answered yet, the first datagram, while
 * another origin could take the client. Bounded: the one that is kept longest makes room. fail-over.ts keeps and takes;
 * replies.ts and sessions.ts drop. It refuses to know why.
 */
import type { BufferPool } from '../ring/buffers.ts';

/** limit: a quarter of the buffers, so that there are some to receive with whatever origins do. */
const SHARE = 4;

export class FirstDatagrams {
  readonly #buffers: Pick<BufferPool, 'give'>;
  /** By session: its buffer and its place in the ring, or −1. */
  readonly #buffer: Int32Array;
  readonly #place: Int32Array;
  /** Sessions in the order in which they came. */
  readonly #ring: Int32Array;
  #next = 0;

  constructor(buffers: Pick<BufferPool, 'give'>, sessions: number, count: number) {
    this.#buffers = buffers;
    this.#buffer = new Int32Array(sessions).fill(-1);
    this.#place = new Int32Array(sessions).fill(-1);
    this.#ring = new Int32Array(Math.floor(count / SHARE)).fill(-1);
  }

  keep(session: number, buffer: number): void {
    const oldest = this.#ring[this.#next]!;
    if (oldest >= 0) this.drop(oldest);
    this.#ring[this.#next] = session;
    this.#place[session] = this.#next;
    this.#buffer[session] = buffer;
    this.#next = (this.#next + 1) % this.#ring.length;
  }

  /** The caller's from now on; −1: nothing is kept. */
  take(session: number): number {
    const buffer = this.#buffer[session]!;
    if (buffer < 0) return -1;
    this.#ring[this.#place[session]!] = -1;
    this.#buffer[session] = -1;
    return buffer;
  }

  drop(session: number): void {
    const buffer = this.take(session);
    if (buffer >= 0) this.#buffers.give(buffer);
  }
}
