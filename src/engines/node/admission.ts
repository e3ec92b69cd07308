/** Shares of this engine's descriptors (flow/shares.ts), asked with addresses as texts. Used by connections and UDP sessions. */
import { parseAddress } from '../../lib/net/address.ts';
import { Shares } from '../flow/shares.ts';
import type { Budget } from './budget.ts';

export interface Admission {
  /** Whether this client, of a rule that holds so many descriptors, may have more. */
  admits(client: string, ofRule: number): boolean;
  /** Descriptors that the client has got, or given back where it is less than 0. */
  add(client: string, descriptors: number): void;
}

const NOBODY = new Uint8Array(4);

/** `rules`: how many there are. */
export function createAdmission(budget: Budget, all: number, seed: number, rules: () => number): Admission {
  const shares = new Shares(all, seed);
  function placeOf(client: string): number {
    const address = parseAddress(client) ?? NOBODY;
    return shares.placeOf(address, 0, address.length);
  }
  return {
    admits: (client, ofRule) => shares.admits(placeOf(client), budget.room, ofRule, rules() === 1),
    add: (client, descriptors) => shares.add(placeOf(client), descriptors),
  };
}
