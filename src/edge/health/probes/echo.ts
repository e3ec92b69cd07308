/**
 * An ICMP echo request and the reply to it (RFC 792, RFC 4443), as bytes. Pure; the reader takes any bytes. Used by the probe of
 * ICMP.
 */
import { byteAt } from '../../../lib/net/address.ts';

/** What tells one request from all others; 16 bytes. */
export type Cookie = Uint8Array;

const REQUEST = { 4: 8, 6: 128 } as const;
const REPLY = { 4: 0, 6: 129 } as const;
const HEADER_BYTES = 8;

/** With its checksum for IPv4; the kernel writes that of IPv6, which covers addresses. */
export function echoRequest(family: 4 | 6, cookie: Cookie): Uint8Array {
  const packet = new Uint8Array(HEADER_BYTES + cookie.length);
  packet[0] = REQUEST[family];
  // Identifier and sequence number; a socket for pings alone replaces the first.
  packet.set(cookie.subarray(0, 4), 4);
  packet.set(cookie, HEADER_BYTES);
  if (family === 4) {
    const sum = checksum(packet);
    packet[2] = sum >> 8;
    packet[3] = sum & 255;
  }
  return packet;
}

/** `hasIpHeader`: as a raw socket of IPv4 gives it. */
export function isReply(bytes: Uint8Array, family: 4 | 6, cookie: Cookie, hasIpHeader: boolean): boolean {
  const start = hasIpHeader ? (byteAt(bytes, 0) & 15) * 4 : 0;
  const payload = start + HEADER_BYTES;
  if (bytes.length < payload + cookie.length || byteAt(bytes, start) !== REPLY[family]) return false;
  return cookie.every((byte, i) => byte === bytes[payload + i]);
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (byteAt(bytes, i) << 8) | byteAt(bytes, i + 1);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
