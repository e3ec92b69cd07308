/**
 * Datagrams of one batch that go the same way, sent as one (UDP_SEGMENT, "GSO"): the system's path is walked once for all
 * of them. Each direction of a session (2 × session to the origin, 2 × session + 1 back) has a chain of buffers; send.ts
 * sends it before a datagram that does not fit into it, so the order stays. Where the path refuses segments the direction
 * does without for good. It refuses to send: gso-messages.ts describes a chain to the kernel.
 */
import { giveChain } from '../ring/buffers.ts';
import type { BufferPool } from '../ring/buffers.ts';
import { datagramsOf } from './datagrams.ts';

/** limit: the kernel's own (UDP_MAX_SEGMENTS of older ones), and the largest datagram that can be made of them. */
export const MOST_SEGMENTS = 64;
/**
 * limit: an origin's socket has 208 KiB by default, of which a segment takes 2.3; so three such bursts fit before the origin
 * has read one, and it is woken by the first.
 */
const MOST_TO_ORIGIN = 28;
const MOST_BYTES = 65_000;
/** limit: payload of an Ethernet frame over IPv4; a longer datagram is fragmented, which segments cannot be. */
const LARGEST_SEGMENT = 1472;

export class GsoChains {
  readonly #buffers: BufferPool;
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  readonly #count: Uint8Array;
  /** Bytes of each segment but the last; of the last; of all. */
  readonly #segment: Int32Array;
  readonly #last: Int32Array;
  readonly #bytes: Int32Array;
  /** The path has refused segments. */
  readonly #plain: Uint8Array;
  readonly #waiting: number[] = [];

  constructor(buffers: BufferPool, sessions: number) {
    this.#buffers = buffers;
    const directions = 2 * sessions;
    this.#head = new Int32Array(directions).fill(-1);
    this.#tail = new Int32Array(directions);
    this.#count = new Uint8Array(directions);
    this.#segment = new Int32Array(directions);
    this.#last = new Int32Array(directions);
    this.#bytes = new Int32Array(directions);
    this.#plain = new Uint8Array(directions);
  }

  /** Whether a burst of so long segments can leave direction k as it is. */
  takes(k: number, segment: number): boolean {
    return segment <= LARGEST_SEGMENT && this.#plain[k] === 0;
  }

  /** Adds a datagram, or with `segment` > 0 a burst of such datagrams, to direction k's chain. False: it does not fit. */
  join(k: number, buffer: number, segment: number): boolean {
    if (this.#head[k]! < 0) return false;
    const length = this.#buffers.length[buffer]!;
    const count = datagramsOf(length, segment);
    const size = segment > 0 ? segment : length;
    const isFull = this.#last[k] === this.#segment[k];
    const alike = count > 1 ? size === this.#segment[k] : length > 0 && length <= this.#segment[k]!;
    const most = (k & 1) === 0 ? MOST_TO_ORIGIN : MOST_SEGMENTS;
    const hasRoom = this.#count[k]! + count <= most && this.#bytes[k]! + length <= MOST_BYTES;
    if (!isFull || !alike || !hasRoom || !this.takes(k, this.#segment[k]!)) return false;
    this.#buffers.next[this.#tail[k]!] = buffer;
    this.#tail[k] = buffer;
    this.#count[k]! += count;
    this.#last[k] = length - (count - 1) * size;
    this.#bytes[k]! += length;
    return true;
  }

  /** Begins direction k's chain, which is empty. */
  start(k: number, buffer: number, segment: number): void {
    const length = this.#buffers.length[buffer]!;
    const count = datagramsOf(length, segment);
    const size = segment > 0 ? segment : length;
    this.#head[k] = this.#tail[k] = buffer;
    this.#count[k] = count;
    this.#segment[k] = size;
    this.#last[k] = length - (count - 1) * size;
    this.#bytes[k] = length;
    this.#waiting.push(k);
  }

  /** The first buffer of direction k's chain, the caller's from now on; −1: it is empty. */
  take(k: number): number {
    const first = this.#head[k]!;
    this.#head[k] = -1;
    return first;
  }

  /** A direction that may have a chain; −1: all were named. */
  nextWaiting(): number {
    return this.#waiting.pop() ?? -1;
  }

  /** Datagrams in the chain that direction k had last. */
  count(k: number): number {
    return this.#count[k]!;
  }

  /** Bytes of each of them but the last. */
  segment(k: number): number {
    return this.#segment[k]!;
  }

  /** The session ends: buffers that wait in its directions are given back. */
  drop(session: number): void {
    for (let k = 2 * session; k <= 2 * session + 1; k++) {
      if (this.#head[k]! >= 0) giveChain(this.#buffers, this.#head[k]!);
      this.#head[k] = -1;
      this.#plain[k] = 0;
    }
  }

  /** Direction k's path does not take segments. */
  refused(k: number): void {
    this.#plain[k] = 1;
  }
}
