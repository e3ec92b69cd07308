/**
 * The clients of a rule and their targets, shared by all workers because connections of one client arrive at any of them:
 * recall, remember and forget of flow/persistence.ts over one hash table in shared memory, keyed by 64 bits of hash of the
 * address. It refuses to lock: at worst a client that opens two first connections at once is remembered with the later
 * target. Used by targets.ts, tcp/ and udp/.
 */
import { MOST_REMEMBERED_CLIENTS } from '../../flow/behaviour.ts';

const WAYS = 4;
/** When a set is full, its client that was silent longest goes. */
const SETS = MOST_REMEMBERED_CLIENTS / WAYS;
const WORDS = 4;
/** Words of an entry: hash (2), target + 1, milliseconds of the last new connection modulo 2³²: 49 days, times are hours. */
const HASH = 0;
const HASH2 = 1;
const TARGET = 2;
const AT = 3;
/** Another worker's time may be a batch ahead of this one's; an age is then 0, not 49 days. */
const SKEW_MS = 60_000;

export function persistenceMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SETS * WAYS * WORDS * 4);
}

export class SharedPersistence {
  readonly #words: Int32Array;
  readonly #keepMs: number;
  #hash = 0;
  #hash2 = 0;

  constructor(memory: SharedArrayBuffer, seconds: number) {
    this.#words = new Int32Array(memory);
    this.#keepMs = seconds * 1000;
  }

  /** The number that remember() was given for the `size` bytes of address at `at`, or -1. */
  recall(memory: Uint8Array, at: number, size: number, nowMs: number): number {
    const entry = this.#find(memory, at, size);
    if (entry < 0) return -1;
    return this.#age(entry, nowMs) < this.#keepMs ? this.#words[entry + TARGET]! - 1 : -1;
  }

  remember(memory: Uint8Array, at: number, size: number, target: number, nowMs: number): void {
    let entry = this.#find(memory, at, size);
    if (entry < 0) entry = this.#oldest(nowMs);
    const words = this.#words;
    words[entry + TARGET] = 0;
    words[entry + HASH] = this.#hash;
    words[entry + HASH2] = this.#hash2;
    words[entry + AT] = nowMs;
    Atomics.store(words, entry + TARGET, target + 1);
  }

  forget(memory: Uint8Array, at: number, size: number): void {
    const entry = this.#find(memory, at, size);
    if (entry >= 0) this.#words[entry + TARGET] = 0;
  }

  #find(memory: Uint8Array, at: number, size: number): number {
    // Two FNV-1a runs with different starts.
    let a = 0x811c9dc5 | 0;
    let b = 0x1234567b | 0;
    for (let i = at; i < at + size; i++) {
      const byte = memory[i]!;
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x01000197);
    }
    this.#hash = a ^ (a >>> 15);
    this.#hash2 = b;
    const first = this.#set();
    for (let entry = first; entry < first + WAYS * WORDS; entry += WORDS) {
      if (
        this.#words[entry + HASH] === this.#hash &&
        this.#words[entry + HASH2] === b &&
        this.#words[entry + TARGET] !== 0
      )
        return entry;
    }
    return -1;
  }

  #set(): number {
    return (this.#hash & (SETS - 1)) * WAYS * WORDS;
  }

  #age(entry: number, nowMs: number): number {
    return ((nowMs - this.#words[entry + AT]! + SKEW_MS) >>> 0) - SKEW_MS;
  }

  #oldest(nowMs: number): number {
    const first = this.#set();
    let oldest = first;
    for (let entry = first; entry < first + WAYS * WORDS; entry += WORDS) {
      if (this.#words[entry + TARGET] === 0) return entry;
      if (this.#age(entry, nowMs) > this.#age(oldest, nowMs)) oldest = entry;
    }
    return oldest;
  }
}
