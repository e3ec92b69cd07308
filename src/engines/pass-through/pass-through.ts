/**
 * A client-address mode, as engines see it: the bytes towards the origin that carry a header, and the header that each reply
 * must carry back. Pure; modes live one per file and are listed in index.ts. Source: spec section 16.
 */
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import { formatAddress, mappedBytes, parseAddress, unmappedBytes } from '../../lib/net/address.ts';

export interface Endpoint {
  /** IPv4 or IPv6, no zone id. */
  readonly address: string;
  readonly port: number;
}

export interface PassThrough {
  /**
   * `start`: in front of the first bytes of a TCP connection, in the first datagram of a UDP session, or in each where the
   * rule's options say so.
   * `datagram`: in every datagram. `option`: not in the payload at all, but in a TCP option of the handshake.
   */
  readonly carrier: 'none' | 'start' | 'datagram' | 'option';
  /** Bytes that are cut off the front of each reply: the header that its session's datagrams carry, or it is dropped. */
  readonly replyHeader: number;
  /** The header for one connection or session: `entry` is the address and port that the client used. */
  announce(protocol: Protocol, client: Endpoint, entry: Endpoint): Uint8Array;
}

/** Both addresses in network order and of one length, or `undefined` where one is not an address. */
export function addressPair(client: Endpoint, entry: Endpoint): { source: Uint8Array; target: Uint8Array } | undefined {
  const source = parseAddress(client.address);
  const target = parseAddress(entry.address);
  if (!source || !target) return undefined;
  if (source.length === target.length) return { source, target };
  return { source: mappedBytes(source), target: mappedBytes(target) };
}

/**
 * As the kernel tells an address → as records and headers write it: no zone id, and an IPv4 client of an IPv6 socket is
 * an IPv4 client.
 */
export function plainAddress(text: string): string {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (!bare.startsWith('::ffff:')) return bare;
  const bytes = parseAddress(bare);
  return bytes ? formatAddress(unmappedBytes(bytes)) : bare;
}
