/**
 * The state of every UDP session of a worker, as columns of numbers, and how a datagram finds its session: a hash over
 * the entry and the client's address and port. As with slots, taking and giving back allocates nothing. udp.ts decides
 * what happens to a session; this file only keeps it.
 */
import { mapPages, unmap } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { Seniority } from '../../flow/seniority.ts';
import { NEVER } from '../../flow/verdict.ts';
import { AF_INET6 } from '../../../linux/abi.ts';
import { NAME_BYTES } from '../ring/sockaddr.ts';

/** Room for the longest header that a datagram carries: PPV2 over IPv6 (52 bytes). */
export const HEADER_BYTES = 64;
const NAME_WORDS = NAME_BYTES >> 2;

export class Flows {
  readonly capacity: number;
  /** Shared: the descriptor of each session's socket, or -1. */
  readonly fd: Int32Array;
  readonly generation: Uint16Array;
  readonly open: Uint8Array;
  /** A receive is armed on the session's socket. */
  readonly reading: Uint8Array;
  /** How often many replies waited at once. */
  readonly runs: Uint8Array;
  readonly entry: Int32Array;
  readonly target: Int32Array;
  readonly originPort: Uint16Array;
  readonly originFamily: Uint8Array;
  readonly openedAt: Float64Array;
  /** When each was last used, and who goes when there is no room. */
  readonly seniority: Seniority;
  /** When its next record is due; NEVER: it has none. */
  readonly recordAt: Float64Array;
  readonly number: Float64Array;
  /** Payload bytes in (2 × flow) and out (2 × flow + 1); and how many of them the last record told. */
  readonly bytes: Float64Array;
  readonly recorded: Float64Array;
  /** Bytes of header in front of the next datagram, and the header itself. */
  readonly headerSize: Uint8Array;
  /** Datagrams that its socket has dropped, as far as they are counted. */
  readonly overflowed: Float64Array;
  /** Its first datagram has left; and how many bytes of header were in front of it. */
  readonly hasSent: Uint8Array;
  readonly firstHeader: Uint8Array;
  readonly headers: Uint8Array;
  /** The client's socket address, where the kernel can read it. */
  readonly names: Uint8Array<ArrayBuffer>;
  readonly nameSlab: Slab;
  /** `names` as words. */
  readonly words: Int32Array;
  readonly #buckets: Int32Array;
  readonly #next: Int32Array;
  readonly #free: Int32Array;
  #freeCount = 0;

  constructor(capacity: number, descriptors: SharedArrayBuffer) {
    const slab = mapPages(capacity * NAME_BYTES);
    if (typeof slab === 'number') throw new Error(`no memory for ${capacity} sessions`);
    this.capacity = capacity;
    this.nameSlab = slab;
    this.names = new Uint8Array(slab.buffer);
    this.words = new Int32Array(slab.buffer);
    this.fd = new Int32Array(descriptors, 0, capacity).fill(-1);
    this.generation = new Uint16Array(capacity);
    this.open = new Uint8Array(capacity);
    this.reading = new Uint8Array(capacity);
    this.runs = new Uint8Array(capacity);
    this.entry = new Int32Array(capacity);
    this.target = new Int32Array(capacity);
    this.originPort = new Uint16Array(capacity);
    this.originFamily = new Uint8Array(capacity);
    this.openedAt = new Float64Array(capacity);
    this.seniority = new Seniority(capacity);
    this.recordAt = new Float64Array(capacity);
    this.number = new Float64Array(capacity);
    this.bytes = new Float64Array(2 * capacity);
    this.recorded = new Float64Array(2 * capacity);
    this.headerSize = new Uint8Array(capacity);
    this.overflowed = new Float64Array(capacity);
    this.hasSent = new Uint8Array(capacity);
    this.firstHeader = new Uint8Array(capacity);
    this.headers = new Uint8Array(HEADER_BYTES * capacity);
    this.#buckets = new Int32Array(powerOfTwo(capacity)).fill(-1);
    this.#next = new Int32Array(capacity).fill(-1);
    this.#free = new Int32Array(capacity);
    for (let flow = capacity - 1; flow >= 0; flow--) this.#free[this.#freeCount++] = flow;
  }

  get available(): number {
    return this.#freeCount;
  }

  get used(): number {
    return this.capacity - this.#freeCount;
  }

  /** The session of the client whose socket address begins at word `at` of `memory`, or -1. */
  find(entry: number, memory: Int32Array, at: number): number {
    let flow = this.#buckets[this.#bucket(entry, memory, at)]!;
    while (flow >= 0 && !(this.entry[flow] === entry && this.#sameName(flow, memory, at))) flow = this.#next[flow]!;
    return flow;
  }

  /** A new session of that client, every column at its start value. The caller knows that one is available. */
  take(entry: number, rule: number, memory: Int32Array, at: number, fd: number, now: number): number {
    const flow = this.#free[--this.#freeCount]!;
    for (let i = 0; i < NAME_WORDS; i++) this.words[flow * NAME_WORDS + i] = memory[at + i]!;
    const bucket = this.#bucket(entry, memory, at);
    this.#next[flow] = this.#buckets[bucket]!;
    this.#buckets[bucket] = flow;
    this.open[flow] = 1;
    this.reading[flow] = 0;
    this.runs[flow] = 0;
    this.entry[flow] = entry;
    this.fd[flow] = fd;
    this.openedAt[flow] = now;
    this.seniority.opened(flow, rule, now);
    this.recordAt[flow] = NEVER;
    this.bytes[2 * flow] = this.bytes[2 * flow + 1] = 0;
    this.recorded[2 * flow] = this.recorded[2 * flow + 1] = 0;
    this.headerSize[flow] = 0;
    this.overflowed[flow] = 0;
    this.hasSent[flow] = 0;
    return flow;
  }

  give(flow: number): void {
    const bucket = this.#bucket(this.entry[flow]!, this.words, flow * NAME_WORDS);
    if (this.#buckets[bucket] === flow) this.#buckets[bucket] = this.#next[flow]!;
    else {
      let before = this.#buckets[bucket]!;
      while (this.#next[before] !== flow) before = this.#next[before]!;
      this.#next[before] = this.#next[flow]!;
    }
    this.seniority.closed(flow);
    this.open[flow] = 0;
    this.fd[flow] = -1;
    this.generation[flow]! += 1;
    this.#free[this.#freeCount++] = flow;
  }

  nameOffset(flow: number): number {
    return flow * NAME_BYTES;
  }

  release(): void {
    unmap(this.nameSlab);
  }

  /** Family and port are the first word; the address follows, after the flow label where it is IPv6. */
  #bucket(entry: number, memory: Int32Array, at: number): number {
    let hash = Math.imul(entry + 1, 0x9e3779b1) ^ memory[at]!;
    if ((memory[at]! & 0xffff) === AF_INET6) {
      for (let i = 2; i < 6; i++) hash = Math.imul(hash ^ memory[at + i]!, 0x85ebca6b) ^ (hash >>> 15);
    } else hash = Math.imul(hash ^ memory[at + 1]!, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & (this.#buckets.length - 1);
  }

  #sameName(flow: number, memory: Int32Array, at: number): boolean {
    const mine = flow * NAME_WORDS;
    const words = this.words;
    if (words[mine] !== memory[at]) return false;
    if ((memory[at]! & 0xffff) !== AF_INET6) return words[mine + 1] === memory[at + 1];
    for (let i = 2; i < 7; i++) if (words[mine + i] !== memory[at + i]) return false;
    return true;
  }
}

function powerOfTwo(least: number): number {
  let size = 1;
  while (size < least) size *= 2;
  return size;
}
