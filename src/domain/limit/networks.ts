/**
 * Networks of address lists and bans: read, and put together so that none lies in another, which is how the kernel's
 * interval sets want them. Pure. Networks either lie apart or one holds the other, so sorting them is enough.
 */
import { cidrEnd, cidrText, parseCidr } from '../../lib/net/cidr.ts';

/** The first that is neither an address nor a network; undefined where all are. */
export function badNetwork(networks: readonly string[]): string | undefined {
  return networks.find((network) => parseCidr(network) === undefined);
}

/** `10.1.2.3/8` → `10.0.0.0/8`, an address without its length. Empty where it can't be read. */
export function networkText(text: string): string {
  const cidr = parseCidr(text);
  return cidr ? cidrText(cidr) : '';
}

/** Without what is there twice or lies in another; what can't be read is left out. By family, sorted. */
export function disjoint(networks: Iterable<string>): { readonly v4: string[]; readonly v6: string[] } {
  const cidrs = [...networks].flatMap((text) => parseCidr(text) ?? []);
  const of = (family: 4 | 6): string[] => {
    const mine = cidrs.filter((cidr) => cidr.family === family);
    mine.sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : a.prefix - b.prefix));
    let end = -1n;
    const kept = mine.filter((cidr) => {
      if (cidr.base <= end) return false;
      end = cidrEnd(cidr);
      return true;
    });
    return kept.map(cidrText);
  };
  return { v4: of(4), v6: of(6) };
}

/**
 * A part of an address list of a zone. Record key: `address-list/<zone>/<name>/<part>`.
 * limit: 5,000 networks a part are 215 KB at most, and an edge is sent only the parts that differ.
 */
export interface AddressListPart {
  readonly networks: readonly string[];
}
export const NETWORKS_PER_PART = 5_000;
export const MOST_NETWORKS = 100_000;

/** A network that may not come to an instance. Record key: `network-ban/<instance>/<network>`. */
export interface BanRecord {
  readonly network: string;
  /** Milliseconds since 1970; absent: until it is lifted. */
  readonly until?: number;
}

export function isStanding({ until }: BanRecord, now: number): boolean {
  return until === undefined || until > now;
}
