/**
 * Simple Proxy Protocol: 38 bytes in front of every datagram to the origin, and 38 bytes off the front of every reply.
 * Source: spec section 16.3.
 */
import { Buffer } from 'node:buffer';
import { mappedBytes, parseAddress } from '../../lib/net/address.ts';
import type { Endpoint, PassThrough } from './pass-through.ts';

export const SPP_MAGIC = 0x56ec;
export const SPP_SIZE = 38;

export const spp: PassThrough = {
  carrier: 'datagram',
  // not: cut blindly, as the cloud does (spec 16.3). A reply with another client's header, or with none, is not this client's.
  replyHeader: SPP_SIZE,
  announce(_protocol, client, entry) {
    const header = Buffer.alloc(SPP_SIZE);
    header.writeUInt16BE(SPP_MAGIC, 0);
    header.set(sixteen(client), 2);
    header.set(sixteen(entry), 18);
    header.writeUInt16BE(client.port, 34);
    header.writeUInt16BE(entry.port, 36);
    return header;
  },
};

function sixteen(endpoint: Endpoint): Uint8Array {
  return mappedBytes(parseAddress(endpoint.address) ?? new Uint8Array(16));
}
