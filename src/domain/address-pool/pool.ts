/**
 * The entry addresses of one family that a site can hand out, numbered from 0: what the operator wrote as networks and
 * single addresses, in that order. Pure; who holds an address is in claims, not here.
 */
import { parseAddress } from '../../lib/net/address.ts';
import { cidrContains, hostAt, hostRange, parseCidr } from '../../lib/net/cidr.ts';
import type { Site } from '../site/site.ts';

export interface Pool {
  readonly size: number;
  /** The canonical text of an address, 0 ≤ index < size. */
  at(index: number): string;
  /** Whether the address lies in one of its networks. */
  has(ip: string): boolean;
}

/** Entries that are no address or network are left out: the configuration refuses them long before. */
export function poolOf(site: Pick<Site, 'pool'>, family: 4 | 6): Pool {
  const cidrs = site.pool.flatMap((text) => parseCidr(text) ?? []).filter((cidr) => cidr.family === family);
  const ranges = cidrs.map((cidr) => hostRange(cidr));
  return {
    size: ranges.reduce((sum, range) => sum + range.size, 0),
    has(ip) {
      const address = parseAddress(ip);
      return address !== undefined && cidrs.some((cidr) => cidrContains(cidr, address));
    },
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
