/**
 * A rule's origins as addresses an engine can use. Pure; it finds names in what names.ts knows, and judges no address.
 * Called by origins.ts.
 */
import { isIP } from 'node:net';
import type { PlannedOrigin } from '../../plan/plan.ts';
import type { Target } from '../../engines/engine.ts';

/** A target, and the origin that it is an address of: of several, the one whose tier counts. */
export interface Resolved {
  readonly target: Omit<Target, 'number'>;
  readonly of: PlannedOrigin;
}

interface Targets {
  readonly targets: readonly Resolved[];
  /** Names without an address so far. */
  readonly missing: readonly string[];
}

export function originNames(origins: readonly Pick<PlannedOrigin, 'host'>[]): string[] {
  return origins.map(({ host }) => host).filter((host) => isIP(host) === 0);
}

interface Names {
  addresses(name: string): readonly string[];
  /** Its answers before. */
  former(name: string): readonly string[];
}

/**
 * Every address of a name gets the name's weight; an address that appears again adds to it, in its lowest tier. A
 * former address of a name is a target without weight.
 */
export function targetsOf(origins: readonly PlannedOrigin[], names: Names): Targets {
  const found = new Map<string, Resolved>();
  const missing: string[] = [];
  for (const of of origins) {
    const { host, weight, tier } = of;
    const addresses = addressesOf(host, names);
    if (addresses.length === 0) missing.push(host);
    for (const address of addresses) {
      const before = found.get(address);
      if (!before || tier < before.target.tier) found.set(address, { target: { address, weight, tier }, of });
      else if (tier === before.target.tier)
        found.set(address, { ...before, target: { address, weight: weight + before.target.weight, tier } });
    }
  }
  for (const of of origins)
    for (const address of isIP(of.host) === 0 ? names.former(of.host) : [])
      if (!found.has(address)) found.set(address, { target: { address, weight: 0, tier: of.tier, left: true }, of });
  return { targets: [...found.values()], missing };
}

/** Empty: a name without an address so far. */
export function addressesOf(host: string, names: Pick<Names, 'addresses'>): readonly string[] {
  return isIP(host) === 0 ? names.addresses(host) : [host];
}
