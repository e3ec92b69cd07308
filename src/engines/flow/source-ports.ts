/**
 * The ports that connections are dialled from, in turn per destination, so that each comes back as late as possible and its
 * TIME_WAIT is over by then. One memory for all threads that dial: which ports there are, and where each destination's
 * turn is. A port that is in use after all is refused by the system, and the next one asked for. Pure but for that memory.
 */
import { MOST_PORT_REFUSALS } from './behaviour.ts';

const BIT_WORDS = 65_536 / 32;
/** limit: 16 KB; destinations beyond it share turns, which only makes a port come back sooner. */
const PLACES = 4_096;
/** limit: ports that were used lately lie side by side; each refusal passes over twice as many, 8,000 in all. */
const FIRST_LEAP = 64;

/** `below`: random, so that a process does not begin where the one before it did. */
export function sourcePortMemory(may: Uint8Array, below: (below: number) => number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(4 * (BIT_WORDS + PLACES));
  const places = new Int32Array(memory, 4 * BIT_WORDS);
  for (const place of places.keys()) places[place] = below(65_536);
  for (const port of may.keys()) if (may[port] === 1) allowPort(memory, port, true);
  return memory;
}

/** order: only the thread that made the memory calls it; the others read. */
export function allowPort(memory: SharedArrayBuffer, port: number, may: boolean): void {
  const words = new Int32Array(memory, 0, BIT_WORDS);
  const bit = 1 << (port & 31);
  words[port >> 5] = may ? words[port >> 5]! | bit : words[port >> 5]! & ~bit;
}

export class SourcePorts {
  readonly #words: Int32Array;
  readonly #places: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, BIT_WORDS);
    this.#places = new Int32Array(memory, 4 * BIT_WORDS);
  }

  /** The next port towards a destination, a number; `refusals` in a row so far. 0: there is none. */
  next(destination: number, refusals: number): number {
    if (refusals >= MOST_PORT_REFUSALS) return 0;
    const place = Math.imul(destination, 0x9e3779b1) >>> 20;
    const leap = refusals < 2 ? 1 : FIRST_LEAP << (refusals - 2);
    for (;;) {
      const last = Atomics.load(this.#places, place);
      const port = this.#after((last + leap) & 0xffff);
      // Another thread took it; the port behind it is as good.
      if (port === 0 || Atomics.compareExchange(this.#places, place, last, port) === last) return port;
    }
  }

  /** The first allowed one from here on; 0: there is none at all. */
  #after(from: number): number {
    let port = from;
    for (let words = 0; words <= BIT_WORDS; words++) {
      const rest = this.#words[port >> 5]! >>> (port & 31);
      if (rest !== 0) return port + 31 - Math.clz32(rest & -rest);
      port = ((port | 31) + 1) & 0xffff;
    }
    return 0;
  }
}
