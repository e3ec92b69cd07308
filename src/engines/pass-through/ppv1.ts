/** PROXY protocol version 1: one ASCII line in front of a TCP stream. Source: spec section 16.1, the public standard. */
import { Buffer } from 'node:buffer';
import { formatAddress } from '../../lib/net/address.ts';
import { addressPair, type PassThrough } from './pass-through.ts';

/** limit: the longest legal line, two full IPv6 addresses and CRLF included. */
export const PPV1_MAX = 107;

export const ppv1: PassThrough = {
  carrier: 'start',
  replyHeader: 0,
  announce(_protocol, client, entry) {
    const pair = addressPair(client, entry);
    if (!pair) return Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
    const family = pair.source.length === 4 ? 'TCP4' : 'TCP6';
    const addresses = `${formatAddress(pair.source)} ${formatAddress(pair.target)}`;
    return Buffer.from(`PROXY ${family} ${addresses} ${client.port} ${entry.port}\r\n`, 'latin1');
  },
};
