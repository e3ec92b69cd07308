/**
 * Networks of address lists and bans: read, and put together so that none lies in another, which is how the kernel's
 * interval sets want them. Pure. Networks either lie apart or one holds the other, so sorting them is enough.
 */
import { cidrText, parseCidr } from '../../lib/net/cidr.ts';
import type { Ending } from '../until.ts';

/** The first that is neither an address nor a network; undefined where all are. */
export function badNetwork(networks: readonly string[]): string | undefined {
  return networks.find((network) => parseCidr(network) === undefined);
}

/** `10.1.2.3/8` → `10.0.0.0/8`, an address without its length. Empty where it can't be read. */
export function networkText(text: string): string {
  const cidr = parseCidr(text);
  return cidr ? cidrText(cidr) : '';
}

/** Networks in the order of their addresses, the wider one first: by family, as numbers or texts that sort like that. */
export interface Sorted {
  /** Address × 64 + length. */
  readonly v4: Float64Array;
  /** Address in 32 hexadecimal digits, the length in two, and the network as it is spelt. */
  readonly v6: readonly string[];
}

/**
 * Leaves out texts that can't be read. limit: 100,000 networks at once would hold up the caller's thread; a part at a time
 * does not.
 */
export function sorted(networks: Iterable<string>): Sorted {
  const v4: number[] = [];
  const v6: string[] = [];
  for (const text of networks) {
    const key = keyOfV4(text);
    if (key >= 0) v4.push(key);
    else {
      const cidr = parseCidr(text);
      if (cidr?.family === 6) v6.push(hex(cidr.base, 32) + hex(cidr.prefix, 2) + cidrText(cidr));
    }
  }
  return { v4: Float64Array.from(v4).sort(), v6: v6.sort() };
}

/** The usual form of a network, read without allocation; minus one where parseCidr has to look. */
function keyOfV4(text: string): number {
  let address = 0;
  let part = 0;
  let digits = 0;
  let dots = 0;
  let at = 0;
  for (; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      if (digits > 0 && part === 0) return -1;
      part = part * 10 + digit;
      if (part > 255) return -1;
      digits += 1;
    } else if (digit === -2 && digits > 0 && dots < 3) {
      address = address * 256 + part;
      [part, digits, dots] = [0, 0, dots + 1];
    } else break;
  }
  if (dots !== 3 || digits === 0) return -1;
  address = address * 256 + part;
  if (at === text.length) return address * 64 + 32;
  const length = /^\/(0|[1-9]\d?)$/.exec(text.slice(at))?.[1];
  const bits = Number(length ?? 33);
  if (bits > 32) return -1;
  const hosts = 2 ** (32 - bits);
  return (address - (address % hosts)) * 64 + bits;
}

/** All of them without what is there twice or lies in another. By family, sorted. */
export function disjoint(parts: readonly Sorted[]): { readonly v4: string[]; readonly v6: string[] } {
  const numbers = new Float64Array(parts.reduce((sum, { v4 }) => sum + v4.length, 0));
  let filled = 0;
  for (const { v4 } of parts) {
    numbers.set(v4, filled);
    filled += v4.length;
  }
  const v4: string[] = [];
  let end = -1;
  for (const key of numbers.sort()) {
    const address = Math.floor(key / 64);
    const bits = key % 64;
    if (address <= end) continue;
    end = address + 2 ** (32 - bits) - 1;
    const dotted = `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
    v4.push(bits === 32 ? dotted : `${dotted}/${bits}`);
  }
  return { v4, v6: disjointV6(parts.flatMap((part) => part.v6).sort()) };
}

function disjointV6(keys: readonly string[]): string[] {
  let end = '';
  return keys.flatMap((key) => {
    if (key.slice(0, 32) <= end) return [];
    end = lastOf(key.slice(0, 32), Number(`0x${key.slice(32, 34)}`));
    return [key.slice(34)];
  });
}

/** All bits beyond the first `bits` set. */
function lastOf(digits: string, bits: number): string {
  const whole = bits >> 2;
  if (whole === 32) return digits;
  const digit = Number(`0x${digits[whole]}`) | (0xf >> (bits & 3));
  return `${digits.slice(0, whole)}${digit.toString(16)}`.padEnd(32, 'f');
}

const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, '0');

/** An address list of a zone, as it is now. Record key: `address-list/<zone>/<name>`. */
export interface AddressList {
  /** The one of its two sets of parts that is in force; the next put fills the other. */
  readonly side: Side;
  readonly parts: number;
  /** The client's name for the put that made it: the same call repeated changes nothing. */
  readonly put?: string;
}
export type Side = 'a' | 'b';

/**
 * A part of one. Record key: `address-part/<zone>/<name>/<side>/<part>`.
 * limit: 5,000 networks a part are 215 KB at most, which is what a commit and a frame of the link like.
 */
export interface AddressListPart {
  readonly networks: readonly string[];
  /** Parts of different puts are never on one side. */
  readonly put?: string;
}
export const NETWORKS_PER_PART = 5_000;
export const MOST_NETWORKS = 100_000;
export const MOST_PARTS = MOST_NETWORKS / NETWORKS_PER_PART;

/** A network that may not come to an instance. Record key: `network-ban/<instance>/<network>`. */
export interface BanRecord extends Ending {
  readonly network: string;
}
