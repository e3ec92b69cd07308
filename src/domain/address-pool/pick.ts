/**
 * Which address of a pool an instance gets: a free one while there is one, else (not for a static IP) one it may share.
 * Expected cost does not grow with the pool or with how many are taken, until the very last addresses. Pure: claims are
 * looked up through the argument, chance comes from the Rng, so the same world and seed give the same address.
 */
import type { Rng } from '../../lib/rng.ts';
import type { AddressClaim } from '../site/site.ts';
import { hasRoom } from './claim.ts';
import type { Pool } from './pool.ts';

export interface Claims {
  /** How many addresses of the pool are held. An estimate will do: it only decides how long to look. */
  readonly count: number;
  /** The claim on an address; `undefined` where it is free. */
  at(ip: string): AddressClaim | undefined;
}

export interface Wish {
  /** A static IP: never shared. */
  readonly exclusive: boolean;
  /** Whether the instance's ports are free on an address that others hold already. */
  fits(claim: AddressClaim): boolean;
}

/**
 * limit: addresses looked at before sharing although a few may be free. A pool of 65,534 with 16 free is left searching
 * after about 4 ms; a smaller pool is always searched to its end.
 */
const PROBES = 4096;
/** limit: addresses compared before the least held is taken to share; a handful keeps the load even (Mitzenmacher). */
const CANDIDATES = 8;

/** `undefined`: no address is left that this instance could have. */
export function pickAddress(pool: Pool, claims: Claims, wish: Wish, rng: Rng): string | undefined {
  const isFull = claims.count >= pool.size;
  // A static IP must find the last free address, however long that takes.
  const probes = wish.exclusive && !isFull ? pool.size : Math.min(pool.size, PROBES);
  const shared: { readonly ip: string; readonly holders: number }[] = [];
  for (const index of walk(pool.size, probes, rng)) {
    const ip = pool.at(index);
    const claim = claims.at(ip);
    if (claim === undefined) return ip;
    if (wish.exclusive || shared.length >= CANDIDATES || !hasRoom(claim) || !wish.fits(claim)) continue;
    shared.push({ ip, holders: claim.proxies.length });
    if (isFull && shared.length === CANDIDATES) break;
  }
  return shared.sort((a, b) => a.holders - b.holders)[0]?.ip;
}

/**
 * `steps` different numbers below `size`, each with the same chance. Double hashing (a random start, a random stride
 * without a common factor) and not the next neighbour, because runs of taken addresses would grow and slow every search.
 */
function* walk(size: number, steps: number, rng: Rng): Generator<number> {
  if (size === 0) return;
  let index = rng.below(size);
  let stride = 1 + rng.below(size);
  while (greatestCommonFactor(stride, size) !== 1) stride = 1 + rng.below(size);
  for (let step = 0; step < steps; step++) {
    yield index;
    index = (index + stride) % size;
  }
}

function greatestCommonFactor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonFactor(b, a % b);
}
