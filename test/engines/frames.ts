/**
 * Ethernet frames with TCP segments or UDP datagrams in them, written out and checked: for tests of what handles packets.
 * Knows no options but those that it is told to put in. Pure.
 */
import { parseAddress } from '../../src/lib/net/address.ts';

export interface Frame {
  readonly protocol: 'TCP' | 'UDP';
  /** Address and port. */
  readonly from: readonly [string, number];
  readonly to: readonly [string, number];
  readonly hops?: number;
  readonly payload?: Uint8Array;
  /** TCP: FIN 1, SYN 2, RST 4, ACK 16. */
  readonly flags?: number;
  readonly sequence?: number;
  /** Type of service, or traffic class. */
  readonly service?: number;
  /** IPv4: the fragment's bits; words of options. */
  readonly fragment?: number;
  readonly options?: number;
  /** UDP over IPv4: the sender did without. */
  readonly noChecksum?: true;
  /** The link's addresses: receiver, sender. */
  readonly link?: readonly [Uint8Array, Uint8Array];
}

const [IP_AT, NOBODY] = [14, new Uint8Array(6)];

export function frameOf(frame: Frame): Uint8Array {
  const { protocol, from, to, hops = 64, payload = new Uint8Array(), service = 0, link = [NOBODY, NOBODY] } = frame;
  const [source, destination] = [bytesOf(from[0]), bytesOf(to[0])];
  const isV6 = source.length === 16;
  const { fragment = 0, options = 0 } = frame;
  const header = isV6 ? 40 : 20 + 4 * options;
  const body = bodyOf(frame, payload, from[1], to[1]);
  const bytes = new Uint8Array(IP_AT + header + body.length);
  const view = new DataView(bytes.buffer);
  bytes.set(link[0], 0);
  bytes.set(link[1], 6);
  view.setUint16(12, isV6 ? 0x86dd : 0x0800);
  const next = protocol === 'TCP' ? 6 : 17;
  if (isV6) {
    view.setUint32(IP_AT, (6 << 28) | (service << 20));
    view.setUint16(IP_AT + 4, body.length);
    bytes.set([next, hops], IP_AT + 6);
    bytes.set(source, IP_AT + 8);
    bytes.set(destination, IP_AT + 24);
  } else {
    bytes.set([0x40 | (header / 4), service], IP_AT);
    view.setUint16(IP_AT + 2, header + body.length);
    view.setUint16(IP_AT + 6, fragment);
    bytes.set([hops, next], IP_AT + 8);
    bytes.set(source, IP_AT + 12);
    bytes.set(destination, IP_AT + 16);
    bytes.fill(1, IP_AT + 20, IP_AT + header);
    view.setUint16(IP_AT + 10, checksum(bytes.subarray(IP_AT, IP_AT + header)));
  }
  bytes.set(body, IP_AT + header);
  if (!frame.noChecksum) {
    const at = IP_AT + header + (protocol === 'TCP' ? 16 : 6);
    view.setUint16(at, checksum(pseudo(source, destination, next, body)) || 0xffff);
  }
  return bytes;
}

/** Whether both checksums of a frame are right; one that UDP does without is. */
export function isSound(frame: Uint8Array): boolean {
  const ip = frame.subarray(IP_AT);
  const isV6 = (ip[0] ?? 0) >> 4 === 6;
  const header = isV6 ? 40 : 4 * ((ip[0] ?? 0) & 15);
  const next = ip[isV6 ? 6 : 9] ?? 0;
  const body = ip.subarray(header);
  const [source, destination] = isV6
    ? [ip.subarray(8, 24), ip.subarray(24, 40)]
    : [ip.subarray(12, 16), ip.subarray(16, 20)];
  const isWithout = next === 17 && body[6] === 0 && body[7] === 0;
  const isHeaderRight = isV6 || checksum(ip.subarray(0, header)) === 0;
  return isHeaderRight && (isWithout || checksum(pseudo(source, destination, next, body)) === 0);
}

function bodyOf(frame: Frame, payload: Uint8Array, from: number, to: number): Uint8Array {
  const size = frame.protocol === 'TCP' ? 20 : 8;
  const bytes = new Uint8Array(size + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, from);
  view.setUint16(2, to);
  if (frame.protocol === 'TCP') {
    view.setUint32(4, frame.sequence ?? 1);
    view.setUint32(8, 7);
    bytes.set([0x50, frame.flags ?? 16], 12);
    view.setUint16(14, 512);
  } else view.setUint16(4, bytes.length);
  bytes.set(payload, size);
  return bytes;
}

function pseudo(source: Uint8Array, destination: Uint8Array, next: number, body: Uint8Array): Uint8Array {
  return Uint8Array.from([...source, ...destination, 0, next, body.length >> 8, body.length & 255, ...body]);
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function bytesOf(address: string): Uint8Array {
  const bytes = parseAddress(address);
  if (!bytes) throw new Error(`${address} is no address`);
  return bytes;
}
