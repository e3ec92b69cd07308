/**
 * Randomness as an argument: cryptographic in the product, seeded in simulations. Nothing else calls Math.random or
 * node:crypto's generators.
 */
import { randomBytes, randomFillSync, randomUUID } from 'node:crypto';

export interface Rng {
  /** A whole number in [0, below). */
  below(below: number): number;
  bytes(length: number): Uint8Array;
  uuid(): string;
}

/** limit: a call to the system's generator costs as much as the bytes of a hundred ids, so they are fetched together. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

function random48(): number {
  if (used + 6 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 6;
  return pool.readUIntBE(used - 6, 6);
}

export const systemRng: Rng = {
  // 48 bits leave a bias under 2^-16 for any `below` up to 2^32.
  below: (below) => random48() % below,
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
};

/** mulberry32: small, fast, good enough to drive a simulation; the same seed gives the same run. */
export function seededRng(seed: number): Rng {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  return {
    below: (below) => Math.floor((next() / 0x1_0000_0000) * below),
    bytes: (length) => Uint8Array.from({ length }, () => next() & 255),
    uuid() {
      const hex = Array.from({ length: 4 }, () => next().toString(16).padStart(8, '0')).join('');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    },
  };
}

const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** An id in the cloud's form, `<prefix>-` and 12 of [0-9a-z]: `sid-3kq7it9slfmc`. Source: spec section 2. */
export function cloudId(rng: Rng, prefix: string): string {
  let id = `${prefix}-`;
  for (let i = 0; i < 12; i++) id += ID_ALPHABET[rng.below(ID_ALPHABET.length)];
  return id;
}
