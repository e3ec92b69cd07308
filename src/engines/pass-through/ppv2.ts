/**
 * PROXY protocol version 2: a binary header in front of a TCP stream, or in front of the first datagram of a UDP session.
 * Source: spec section 16.2, the public standard.
 */
import { Buffer } from 'node:buffer';
import { addressPair, type PassThrough } from './pass-through.ts';

export const PPV2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Signature, version and command, family and transport, length. */
export const PPV2_FIXED = 16;

export const ppv2: PassThrough = {
  carrier: 'start',
  replyHeader: 0,
  announce(protocol, client, entry) {
    const pair = addressPair(client, entry);
    const size = pair?.source.length ?? 0;
    const header = Buffer.alloc(PPV2_FIXED + (pair ? 2 * size + 4 : 0));
    header.set(PPV2_SIGNATURE);
    // LOCAL tells the reader to use the connection's own addresses: the truth where ours cannot be written.
    header[12] = pair ? 0x21 : 0x20;
    if (!pair) return header;
    header[13] = (size === 4 ? 0x10 : 0x20) | (protocol === 'TCP' ? 1 : 2);
    header.writeUInt16BE(header.length - PPV2_FIXED, 14);
    header.set(pair.source, PPV2_FIXED);
    header.set(pair.target, PPV2_FIXED + size);
    header.writeUInt16BE(client.port, PPV2_FIXED + 2 * size);
    header.writeUInt16BE(entry.port, PPV2_FIXED + 2 * size + 2);
    return header;
  },
};
