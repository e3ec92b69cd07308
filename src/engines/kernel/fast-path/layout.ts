/**
 * What the fast path's programs and this process share: the places of the fields in the maps, and how a connection's tuple
 * is written as a key. Addresses and ports are in network order, everything else in the machine's. Pure.
 */
import { IPPROTO_TCP, IPPROTO_UDP } from '../../../linux/abi.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import { type Flow, type Tuple } from '../../../linux/netlink/conntrack.ts';
import { indexOf, markOf, TOLD } from '../table/marks.ts';

/**
 * limit: packets of a connection, both ways, before the table lets it be learned. A connection of a request and an answer has
 * ten or so, and would pay for entries that it never uses.
 */
export const FAST_FROM = 16;

/** One direction of a connection as its packets come in. `sort`: protocol, and in the next byte 4 or 6. */
export const KEY = { sort: 0, source: 4, destination: 20, ports: 36, bytes: 40 } as const;

/**
 * What is done to them. `until`: nanoseconds of the coarse monotonic clock, from then on one takes the long way again.
 * `size`: of the one that taught it; a bigger one may not fit, and goes the long way. `addresses`, `portsDelta`: what the change takes from a checksum, folded; `head`: the same of an IPv4 header, with one hop less.
 * `new…`: as they leave. `link`: the first 14 bytes of the frame that leaves, put so that what follows is aligned.
 */
export const ENTRY = {
  packets: 0,
  octets: 8,
  until: 16,
  generation: 24,
  /** `totals` of its rule and direction. */
  total: 28,
  from: 32,
  to: 36,
  size: 40,
  head: 44,
  addresses: 48,
  portsDelta: 52,
  newSource: 56,
  newDestination: 72,
  newPorts: 88,
  /** 1: one side has ended it. */
  ended: 92,
  link: 98,
  bytes: 112,
} as const;

/** What the last packet was that went the long way, per processor. */
export const SEEN = {
  key: 0,
  nonce: 40,
  from: 44,
  first: 48,
  hops: 52,
  numbers: 56,
  isFresh: 64,
  size: 68,
  bytes: 72,
} as const;

export const TOTAL = { packets: 0, octets: 8, bytes: 16 } as const;

/** Of a packet that may become fast, the forward chain writes the connection's mark on it; of a reply without this bit. */
export const ORIGINAL = 0x2000_0000;
export const STAMPED = 0xc000_0000;

/** `undefined`: not an address. */
export function keyOf({ family, protocol }: Pick<Flow, 'family' | 'protocol'>, tuple: Tuple): Uint8Array | undefined {
  const key = new Uint8Array(KEY.bytes);
  const source = parseAddress(tuple.source.address);
  const destination = parseAddress(tuple.destination.address);
  if (!source || !destination) return undefined;
  key[KEY.sort] = protocol;
  key[KEY.sort + 1] = family;
  key.set(source, KEY.source);
  key.set(destination, KEY.destination);
  const view = new DataView(key.buffer);
  view.setUint16(KEY.ports, tuple.source.port);
  view.setUint16(KEY.ports + 2, tuple.destination.port);
  return key;
}

/** What a key of `totals` is about. */
export interface Total {
  readonly index: number;
  readonly isOriginal: boolean;
  readonly isV6: boolean;
  readonly protocol: number;
}

/** In the lower bits of a total's key, beside the mark's: the protocol, and whether it is IPv6. */
export const TOTAL_V6 = 0x100;

export function readTotal(key: number): Total {
  return {
    index: indexOf(key),
    isOriginal: (key & ORIGINAL) !== 0,
    isV6: (key & TOTAL_V6) !== 0,
    protocol: key & (TOTAL_V6 - 1),
  };
}

/** All that there may be about an index. */
export function totalsOf(index: number): number[] {
  const both = <T>(values: readonly number[], then: (value: number) => T[]): T[] => values.flatMap(then);
  return both([0, ORIGINAL], (way) =>
    both([0, TOLD], (told) =>
      both([0, TOTAL_V6], (v6) =>
        [IPPROTO_TCP, IPPROTO_UDP].map((protocol) => ((markOf(index) & ~ORIGINAL) | way | told | v6 | protocol) >>> 0),
      ),
    ),
  );
}
