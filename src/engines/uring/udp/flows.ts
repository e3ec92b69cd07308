/**
 * The state of every UDP session of a worker, as columns of numbers in tables, and how a datagram finds its session: a hash
 * over the entry and the client's address and port. Taking and giving back allocates nothing. sessions.ts decides what
 * happens to a session; this file only keeps it.
 */
import { Seniority } from '../../flow/seniority.ts';
import { NEVER } from '../../flow/verdict.ts';
import { AF_INET6 } from '../../../linux/abi.ts';
import { Names } from '../ring/names.ts';
import { NAME_BYTES } from '../../../linux/sockaddr.ts';

/** Room for the longest header that a datagram carries: PPV2 over IPv6 (52 bytes). */
export const HEADER_BYTES = 64;
const NAME_WORDS = NAME_BYTES >> 2;

/** The connected socket of each session. */
class Sockets {
  /** The descriptor, or −1: there is no such session. In shared memory: the agent's thread closes those of a dead worker. */
  readonly fd: Int32Array;
  /** A receive is armed. */
  readonly reading: Uint8Array;
  /** How often many replies waited at once. */
  readonly runs: Uint8Array;
  /** Datagrams that the socket has dropped, as far as they are counted. */
  readonly dropped: Float64Array;

  constructor(sessions: number, descriptors: SharedArrayBuffer) {
    this.fd = new Int32Array(descriptors, 0, sessions).fill(-1);
    this.reading = new Uint8Array(sessions);
    this.runs = new Uint8Array(sessions);
    this.dropped = new Float64Array(sessions);
  }
}

/** Where each session leads. */
class Origins {
  readonly target: Int32Array;
  readonly port: Uint16Array;
  readonly family: Uint8Array;

  constructor(sessions: number) {
    this.target = new Int32Array(sessions);
    this.port = new Uint16Array(sessions);
    this.family = new Uint8Array(sessions);
  }
}

/** The header in front of a session's datagrams, or of its first one. */
class Headers {
  /** Bytes in front of the next datagram, and in front of the first one. */
  readonly size: Uint8Array;
  readonly firstSize: Uint8Array;
  /** The first datagram has left. */
  readonly hasSent: Uint8Array;
  /** HEADER_BYTES of each. */
  readonly bytes: Uint8Array;

  constructor(sessions: number) {
    this.size = new Uint8Array(sessions);
    this.firstSize = new Uint8Array(sessions);
    this.hasSent = new Uint8Array(sessions);
    this.bytes = new Uint8Array(HEADER_BYTES * sessions);
  }
}

/** When a session came, when it was used, and what was told of it. All times in milliseconds. */
class Lives {
  readonly openedAt: Float64Array;
  /** When each was last used, and which one goes when there is no room. */
  readonly seniority: Seniority;
  /** When its next record is due; NEVER: it is not recorded. */
  readonly recordAt: Float64Array;
  /** The number in the id of its records. */
  readonly number: Float64Array;
  /** Payload in (2 × session) and out (2 × session + 1); and how much of it its records have told. */
  readonly bytes: Float64Array;
  readonly recorded: Float64Array;
  /** The first session's place on the clock wheel. */
  readonly firstClock: number;

  constructor(sessions: number, firstClock: number) {
    this.openedAt = new Float64Array(sessions);
    this.seniority = new Seniority(sessions);
    this.recordAt = new Float64Array(sessions);
    this.number = new Float64Array(sessions);
    this.bytes = new Float64Array(2 * sessions);
    this.recorded = new Float64Array(2 * sessions);
    this.firstClock = firstClock;
  }
}

export class Flows {
  readonly capacity: number;
  /** Goes up when a session ends: a completion that carries an older one belongs to no session. */
  readonly generation: Uint16Array;
  /** Number of the entry that its client speaks to. */
  readonly entry: Int32Array;
  readonly sockets: Sockets;
  readonly origins: Origins;
  readonly headers: Headers;
  readonly lives: Lives;
  /** The client of each. */
  readonly names: Names;
  readonly #buckets: Int32Array;
  readonly #next: Int32Array;
  readonly #free: Int32Array;
  #freeCount = 0;

  constructor(capacity: number, descriptors: SharedArrayBuffer, firstClock: number) {
    this.capacity = capacity;
    this.generation = new Uint16Array(capacity);
    this.entry = new Int32Array(capacity);
    this.sockets = new Sockets(capacity, descriptors);
    this.origins = new Origins(capacity);
    this.headers = new Headers(capacity);
    this.lives = new Lives(capacity, firstClock);
    this.names = new Names(capacity);
    this.#buckets = new Int32Array(powerOfTwo(capacity)).fill(-1);
    this.#next = new Int32Array(capacity).fill(-1);
    this.#free = new Int32Array(capacity);
    for (let flow = capacity - 1; flow >= 0; flow--) this.#free[this.#freeCount++] = flow;
  }

  get available(): number {
    return this.#freeCount;
  }

  /** The session of the client whose socket address begins at word `at` of `memory`, or −1. */
  find(entry: number, memory: Int32Array, at: number): number {
    let flow = this.#buckets[this.#bucket(entry, memory, at)]!;
    while (flow >= 0 && !(this.entry[flow] === entry && this.#sameName(flow, memory, at))) flow = this.#next[flow]!;
    return flow;
  }

  /** A new session of that client, every column at its start value. The caller knows that one is available. */
  take(entry: number, rule: number, memory: Int32Array, at: number, fd: number, now: number): number {
    const flow = this.#free[--this.#freeCount]!;
    const { sockets, headers, lives } = this;
    this.names.copy(flow, memory, at);
    const bucket = this.#bucket(entry, memory, at);
    this.#next[flow] = this.#buckets[bucket]!;
    this.#buckets[bucket] = flow;
    this.entry[flow] = entry;
    sockets.fd[flow] = fd;
    sockets.reading[flow] = 0;
    sockets.runs[flow] = 0;
    sockets.dropped[flow] = 0;
    headers.size[flow] = 0;
    headers.hasSent[flow] = 0;
    lives.openedAt[flow] = now;
    lives.seniority.opened(flow, rule, now);
    lives.recordAt[flow] = NEVER;
    lives.bytes[2 * flow] = lives.bytes[2 * flow + 1] = 0;
    lives.recorded[2 * flow] = lives.recorded[2 * flow + 1] = 0;
    return flow;
  }

  give(flow: number): void {
    const bucket = this.#bucket(this.entry[flow]!, this.names.words, flow * NAME_WORDS);
    if (this.#buckets[bucket] === flow) this.#buckets[bucket] = this.#next[flow]!;
    else {
      let before = this.#buckets[bucket]!;
      while (this.#next[before] !== flow) before = this.#next[before]!;
      this.#next[before] = this.#next[flow]!;
    }
    this.lives.seniority.closed(flow);
    this.sockets.fd[flow] = -1;
    this.generation[flow]! += 1;
    this.#free[this.#freeCount++] = flow;
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
    const own = flow * NAME_WORDS;
    const { words } = this.names;
    if (words[own] !== memory[at]) return false;
    if ((memory[at]! & 0xffff) !== AF_INET6) return words[own + 1] === memory[at + 1];
    for (let i = 2; i < 7; i++) if (words[own + i] !== memory[at + i]) return false;
    return true;
  }
}

function powerOfTwo(least: number): number {
  let size = 1;
  while (size < least) size *= 2;
  return size;
}
