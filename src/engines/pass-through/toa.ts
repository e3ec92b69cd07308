/**
 * TOA: the client's address in a TCP option of the handshake. These are the option's bytes, kind and length included;
 * writing them takes an engine that can reach the TCP header. Source: spec section 16.4.
 */
import { Buffer } from 'node:buffer';
import { parseAddress } from '../../lib/net/address.ts';
import type { PassThrough } from './pass-through.ts';

/** As public modules read them (spec section 16.4). */
export const TOA_KINDS = { v4: 254, v6: 253 } as const;

export const toa: PassThrough = {
  carrier: 'option',
  replyHeader: 0,
  announce(_protocol, client) {
    const address = parseAddress(client.address);
    if (!address) return new Uint8Array();
    const option = Buffer.alloc(4 + address.length);
    option[0] = address.length === 4 ? TOA_KINDS.v4 : TOA_KINDS.v6;
    option[1] = option.length;
    option.writeUInt16BE(client.port, 2);
    option.set(address, 4);
    return option;
  },
};
