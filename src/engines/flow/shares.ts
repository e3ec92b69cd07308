/**
 * Shares of the last descriptors. While there are many, each client may have one; the last ones are for clients and rules
 * that hold few. So neither one source nor one rule (a flood, a loop over another machine) leaves the others without. A source
 * is an IPv4 address or an IPv6 /64. Pure; a number per source and no keys, so that nothing grows and nothing is allocated.
 * Asked by node/ and uring/ for each connection and session.
 */
import { BUDGETS } from '../../config/budgets.ts';
import { SMALLEST_SHARE } from './behaviour.ts';

/** limit: eight times the sources that can hold a share, and 256 KiB; two in one place only count as one when it is scarce. */
const PLACES = 1 << 16;

const OF_SOURCE = BUDGETS['descriptors-of-a-source'].most / 100;
const OF_RULE = BUDGETS['descriptors-of-a-rule'].most / 100;

export class Shares {
  readonly #held = new Int32Array(PLACES);
  readonly #all: number;
  readonly #seed: number;

  /** `seed`: a secret, so that no attacker chooses addresses that count as another's. */
  constructor(all: number, seed: number) {
    this.#all = all;
    this.#seed = seed | 0;
  }

  /** The place of the source whose address, of 4 or 16 bytes, lies at `at`. */
  placeOf(memory: Uint8Array, at: number, size: number): number {
    let hash = this.#seed;
    for (let i = 0; i < (size === 4 ? 4 : 8); i++) hash = Math.imul(hash ^ memory[at + i]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & (PLACES - 1);
  }

  /** Counts descriptors that connections or sessions of this source take, or give back where the number is negative. */
  add(place: number, descriptors: number): void {
    this.#held[place]! += descriptors;
  }

  /** Whether a source, and a rule that holds `ofRule`, may have one of the `free` ones. `only`: no other rule is there. */
  admits(place: number, free: number, ofRule: number, only: boolean): boolean {
    if (free >= this.#all * OF_SOURCE) return true;
    if (this.#held[place]! >= this.#share(OF_SOURCE)) return false;
    return only || free >= this.#all * OF_RULE || ofRule < this.#share(OF_RULE);
  }

  #share(part: number): number {
    return Math.max(SMALLEST_SHARE, this.#all * part);
  }
}
