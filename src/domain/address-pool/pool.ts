/**
 * The entry addresses of one family that a site can hand out, numbered from 0: what the operator wrote as networks and
 * single addresses, in that order. Pure; who holds an address is in claims, not here.
 */
import { hostAt, type HostRange, hostRange, parseCidr } from '../../lib/net/cidr.ts';
import type { Site } from '../site/site.ts';

export interface Pool {
  readonly size: number;
  /** The canonical text of an address, 0 ≤ index < size. */
  at(index: number): string;
}

/** Entries that are no address or network are left out: the configuration refuses them long before. */
export function poolOf(site: Pick<Site, 'pool'>, family: 4 | 6): Pool {
  const ranges = site.pool.flatMap((text): HostRange[] => {
    const cidr = parseCidr(text);
    return cidr?.family === family ? [hostRange(cidr)] : [];
  });
  return {
    size: ranges.reduce((sum, range) => sum + range.size, 0),
    at(index) {
      let left = index;
      for (const range of ranges) {
        if (left < range.size) return hostAt(range, left);
        left -= range.size;
      }
      throw new RangeError(`the pool has no address ${index}`);
    },
  };
}
