/**
 * Datagrams of one batch that go the same way, sent as one (UDP_SEGMENT, "GSO"): the system's path is walked once for all
 * of them. Each direction of a session (2 × session to the origin, 2 × session + 1 back) has a chain of buffers; send.ts
 * sends it before a datagram that does not fit into it, so the order stays. Where the path refuses segments the direction
 * does without for good. It refuses to send: it keeps the chains, and describes them to the kernel.
 */
import { mapPages, unmap, writePointer } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { SOL_UDP, UDP_SEGMENT } from '../../../linux/abi.ts';
import type { BufferPool } from '../ring/buffers.ts';
import type { Ring } from '../ring/ring.ts';
import { datagramsOf } from './datagrams.ts';

/** limit: the kernel's own (UDP_MAX_SEGMENTS of older ones), and the largest datagram that can be made of them. */
const MOST_SEGMENTS = 64;
/**
 * limit: an origin's socket has 208 KiB by default, of which a segment takes 2.3; so three such bursts fit before the origin
 * has read one, and it is woken by the first.
 */
const MOST_TO_ORIGIN = 28;
const MOST_BYTES = 65_000;
/** limit: payload of an Ethernet frame over IPv4; a longer datagram is fragmented, which segments cannot be. */
const LARGEST_SEGMENT = 1472;

/** Room for the messages of one batch; a batch that needs more is submitted in parts. */
const MESSAGES = 512;
const VECTORS = 4096;
// struct msghdr, struct iovec, struct cmsghdr with two bytes of data
const MSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
const CMSG_BYTES = 32;
const CMSG_LENGTH = 18;
const CMSG_SPACE = 24;
const WORD = { name: 0, nameSize: 2, vectors: 4, count: 6, control: 8, controlSize: 10 } as const;

export class GsoChains {
  readonly #ring: Ring;
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
  readonly slab: Slab;
  readonly #words: Int32Array;
  readonly #bytesOfSlab: Uint16Array;
  #messages = 0;
  #vectors = 0;

  constructor(ring: Ring, buffers: BufferPool, sessions: number) {
    const slab = mapPages(MESSAGES * (MSGHDR_BYTES + CMSG_BYTES) + VECTORS * IOVEC_BYTES);
    if (typeof slab === 'number') throw new Error('no memory for datagrams');
    this.#ring = ring;
    this.#buffers = buffers;
    this.slab = slab;
    this.#words = new Int32Array(slab.buffer);
    this.#bytesOfSlab = new Uint16Array(slab.buffer);
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

  /** Everything described so far has been submitted, and with that copied: its room is free. */
  submitted(): void {
    this.#messages = 0;
    this.#vectors = 0;
  }

  /** The session ends: buffers that wait in its directions are given back. */
  drop(session: number): void {
    for (let k = 2 * session; k <= 2 * session + 1; k++) {
      if (this.#head[k]! >= 0) this.#buffers.giveChain(this.#head[k]!);
      this.#head[k] = -1;
      this.#plain[k] = 0;
    }
  }

  /** Direction k's path does not take segments. */
  refused(k: number): void {
    this.#plain[k] = 1;
  }

  release(): void {
    unmap(this.slab);
  }

  /** Where in the slab a struct msghdr for direction k's last chain lies; its name is the sender's to fill in. */
  describe(k: number, first: number): number {
    if (this.#messages === MESSAGES || this.#vectors + MOST_SEGMENTS > VECTORS) {
      this.#ring.enter(0, 0);
      this.submitted();
    }
    const { next, start, length, slab } = this.#buffers;
    const vectorsAt = MESSAGES * (MSGHDR_BYTES + CMSG_BYTES) + this.#vectors * IOVEC_BYTES;
    let at = vectorsAt >> 2;
    let vectors = 0;
    for (let buffer = first; buffer >= 0; buffer = next[buffer]!) {
      writePointer(this.#words, at, slab, start[buffer]!);
      this.#words[at + 2] = length[buffer]!;
      this.#words[at + 3] = 0;
      at += IOVEC_BYTES >> 2;
      vectors++;
    }
    const messageAt = this.#messages * MSGHDR_BYTES;
    const controlAt = MESSAGES * MSGHDR_BYTES + this.#messages * CMSG_BYTES;
    const control = controlAt >> 2;
    this.#words[control] = CMSG_LENGTH;
    this.#words[control + 1] = 0;
    this.#words[control + 2] = SOL_UDP;
    this.#words[control + 3] = UDP_SEGMENT;
    this.#bytesOfSlab[(controlAt >> 1) + 8] = this.#segment[k]!;
    const message = messageAt >> 2;
    this.#words.fill(0, message, message + (MSGHDR_BYTES >> 2));
    writePointer(this.#words, message + WORD.vectors, this.slab, vectorsAt);
    this.#words[message + WORD.count] = vectors;
    writePointer(this.#words, message + WORD.control, this.slab, controlAt);
    this.#words[message + WORD.controlSize] = CMSG_SPACE;
    this.#messages++;
    this.#vectors += vectors;
    return messageAt;
  }

  /** Names the receiver of a described chain. */
  to(message: number, names: Slab, name: number, nameSize: number): void {
    writePointer(this.#words, (message >> 2) + WORD.name, names, name);
    this.#words[(message >> 2) + WORD.nameSize] = nameSize;
  }
}
