/** Networks as the operator writes them (`127.44.0.0/16`, `fd00::/64`, single addresses): membership and counting. */
import { formatAddress, parseAddress, unmappedBytes } from './address.ts';

export interface Cidr {
  readonly family: 4 | 6;
  /** The first address; host bits are zero. */
  readonly base: bigint;
  readonly prefix: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/** A single address is a network of itself; host bits after the prefix are dropped. `undefined` where it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [host = '', length, ...more] = text.split('/');
  const address = parseAddress(host);
  if (!address || more.length > 0) return undefined;
  const family = address.length === 4 ? 4 : 6;
  const width = WIDTH[family];
  if (length !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = length === undefined ? width : Number(length);
  if (prefix > width) return undefined;
  const hostBits = BigInt(width - prefix);
  return { family, base: (toBits(address) >> hostBits) << hostBits, prefix };
}

/** As it is read: `10.0.0.0/8`, a single address without its length. */
export function cidrText({ family, base, prefix }: Cidr): string {
  const address = formatAddress(toBytes(base, WIDTH[family] / 8));
  return prefix === WIDTH[family] ? address : `${address}/${prefix}`;
}

/** Whether any address is in both. */
export function cidrsMeet(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false;
  const hostBits = BigInt(WIDTH[a.family] - Math.min(a.prefix, b.prefix));
  return a.base >> hostBits === b.base >> hostBits;
}

/** `address` in network order, 4 or 16 bytes. */
export function cidrContains(cidr: Cidr, address: Uint8Array): boolean {
  const width = WIDTH[cidr.family];
  if (width !== address.length * 8) return false;
  const hostBits = BigInt(width - cidr.prefix);
  return toBits(address) >> hostBits === cidr.base >> hostBits;
}

/**
 * A test for "is this address in any of these networks". An IPv4 address is looked at as such even when it comes
 * wrapped as `::ffff:a.b.c.d`, and so is a network of such. A text that is no address is in none; a network that can't be read throws.
 */
export function networkSet(networks: readonly string[]): (address: string) => boolean {
  const cidrs = networks.map((network) => {
    const cidr = parseCidr(network);
    if (!cidr) throw new RangeError(`${network} is not an address or network`);
    return unmappedCidr(cidr);
  });
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && cidrs.some((cidr) => cidrContains(cidr, unmappedBytes(address)));
  };
}

/** The IPv4 network inside ::ffff:0:0/96; any other as it is. */
function unmappedCidr(cidr: Cidr): Cidr {
  const isMapped = cidr.family === 6 && cidr.prefix >= 96 && cidr.base >> 32n === 0xffffn;
  return isMapped ? { family: 4, base: cidr.base & 0xffffffffn, prefix: cidr.prefix - 96 } : cidr;
}

/** The addresses of a network that a host can have. */
interface HostRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  /** How many, at most 2^32. */
  readonly size: number;
}

/** limit: no pool hands out more than 2^32 addresses of a network, so counts and indices stay whole numbers. */
const MOST = 0x1_0000_0000n;

/**
 * Without the network and broadcast address of an IPv4 network shorter than /31 (RFC 3021), and without the
 * subnet-router anycast address of an IPv6 network shorter than /127 (RFC 4291 §2.6.1, RFC 6164).
 */
export function hostRange({ family, base, prefix }: Cidr): HostRange {
  const all = 1n << BigInt(WIDTH[family] - prefix);
  const isLink = all <= 2n;
  const skipped = isLink ? 0n : family === 4 ? 2n : 1n;
  const size = all - skipped;
  return { family, first: isLink ? base : base + 1n, size: Number(size < MOST ? size : MOST) };
}

/** The text of the address at `index`, 0 ≤ index < size. */
export function hostAt(range: HostRange, index: number): string {
  return formatAddress(toBytes(range.first + BigInt(index), WIDTH[range.family] / 8));
}

function toBits(address: Uint8Array): bigint {
  return address.reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}

function toBytes(bits: bigint, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => Number((bits >> BigInt(8 * (length - 1 - at))) & 0xffn));
}
