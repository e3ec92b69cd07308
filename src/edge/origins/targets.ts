/**
 * A rule's origins as addresses an engine can use. Pure; it finds names in what names.ts knows, and judges no address.
 * Called by origins.ts.
 */
import { isIP } from 'node:net';
import type { PlannedOrigin } from '../../plan/plan.ts';
import type { Target } from '../../engines/engine.ts';

type Resolved = Omit<Target, 'number'>;

interface Targets {
  readonly targets: readonly Resolved[];
  /** Names without an address so far. */
  readonly missing: readonly string[];
}

export function originNames(origins: readonly PlannedOrigin[]): string[] {
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
  for (const { host, weight, tier } of origins) {
    const addresses = isIP(host) === 0 ? names.addresses(host) : [host];
    if (addresses.length === 0) missing.push(host);
    for (const address of addresses) {
      const before = found.get(address);
      if (!before || tier < before.tier) found.set(address, { address, weight, tier });
      else if (tier === before.tier) found.set(address, { address, weight: weight + before.weight, tier });
    }
  }
  for (const { host, tier } of origins)
    for (const address of isIP(host) === 0 ? names.former(host) : [])
      if (!found.has(address)) found.set(address, { address, weight: 0, tier, left: true });
  return { targets: [...found.values()], missing };
}
