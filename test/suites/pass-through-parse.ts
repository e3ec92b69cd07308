/**
 * Reads what the encoders write, as an origin would: PROXY protocol 1 and 2 from the front of a stream or datagram, SPP
 * from a datagram. Pure and bounded; hostile bytes give `invalid` with a reason, never a throw and never a longer read
 * than the standard allows. Callers: tests, and the command that verifies an origin's set-up.
 */
import { Buffer } from 'node:buffer';
import type { Protocol } from '../../src/domain/l4-rule/modes.ts';
import { addressFamily, formatAddress, unmappedBytes } from '../../src/lib/net/address.ts';
import type { Endpoint } from '../../src/engines/pass-through/pass-through.ts';
import { PPV1_MAX } from '../../src/engines/pass-through/ppv1.ts';
import { PPV2_FIXED, PPV2_SIGNATURE } from '../../src/engines/pass-through/ppv2.ts';
import { SPP_MAGIC, SPP_SIZE } from '../../src/engines/pass-through/spp.ts';

export type Parsed =
  /** `length`: bytes of the header; the payload begins there. */
  | {
      readonly kind: 'proxied';
      readonly protocol: Protocol;
      readonly client: Endpoint;
      readonly entry: Endpoint;
      readonly length: number;
    }
  /** A valid header that names no addresses: LOCAL, UNKNOWN, a Unix socket. Use the connection's own. */
  | { readonly kind: 'unnamed'; readonly length: number }
  /** So far so good; more bytes are needed. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid'; readonly why: string };

const INCOMPLETE: Parsed = { kind: 'incomplete' };
const invalid = (why: string): Parsed => ({ kind: 'invalid', why });

export function parsePpv1(bytes: Uint8Array): Parsed {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, PPV1_MAX)).toString('latin1');
  const prefix = 'PROXY ';
  if (text.slice(0, prefix.length) !== prefix.slice(0, text.length)) return invalid('does not begin with "PROXY "');
  const end = text.indexOf('\r\n');
  if (end < 0) return text.length < PPV1_MAX ? INCOMPLETE : invalid(`no end of line in ${PPV1_MAX} bytes`);
  const length = end + 2;
  const [family, source, target, sourcePort, targetPort, ...rest] = text.slice(prefix.length, end).split(' ');
  if (family === 'UNKNOWN') return { kind: 'unnamed', length };
  if (family !== 'TCP4' && family !== 'TCP6') return invalid('family is not TCP4, TCP6 or UNKNOWN');
  const client = endpoint(source, sourcePort, family);
  const entry = endpoint(target, targetPort, family);
  if (!client || !entry || rest.length > 0) return invalid(`not two addresses and two ports of ${family}`);
  return { kind: 'proxied', protocol: 'TCP', client, entry, length };
}

function endpoint(address = '', port = '', family: 'TCP4' | 'TCP6'): Endpoint | undefined {
  if (addressFamily(address) !== (family === 'TCP4' ? 4 : 6)) return undefined;
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined;
  return { address, port: Number(port) };
}

/** The second nibble of byte 13. */
const TRANSPORTS: Readonly<Record<number, Protocol>> = { 1: 'TCP', 2: 'UDP' };
const UNIX_SIZE = 108;
/** The first nibble of byte 13 → bytes of one address; Unix sockets have no ports. */
const FAMILY_SIZES: Readonly<Record<number, number>> = { 1: 4, 2: 16, 3: UNIX_SIZE };

export function parsePpv2(bytes: Uint8Array): Parsed {
  const at = Math.min(bytes.length, PPV2_SIGNATURE.length);
  if (!PPV2_SIGNATURE.subarray(0, at).equals(bytes.subarray(0, at)))
    return invalid('does not begin with the signature');
  if (bytes.length < PPV2_FIXED) return INCOMPLETE;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.readUInt8(12);
  const family = view.readUInt8(13);
  if (version !== 0x20 && version !== 0x21) return invalid(`version and command 0x${version.toString(16)}`);
  const length = PPV2_FIXED + view.readUInt16BE(14);
  if (bytes.length < length) return INCOMPLETE;
  if (version === 0x20) return { kind: 'unnamed', length };
  const size = FAMILY_SIZES[family >> 4] ?? 0;
  const protocol = TRANSPORTS[family & 15];
  // UNSPEC: the standard says to skip whatever follows.
  if (family >> 4 === 0) return { kind: 'unnamed', length };
  if (size === 0 || !protocol) return invalid(`family and transport 0x${family.toString(16)}`);
  const tlvs = PPV2_FIXED + 2 * size + (size === UNIX_SIZE ? 0 : 4);
  if (tlvs > length) return invalid('shorter than its addresses');
  if (!tlvsFit(view.subarray(tlvs, length))) return invalid('a TLV runs past the end of the header');
  if (size === UNIX_SIZE) return { kind: 'unnamed', length };
  const ports = PPV2_FIXED + 2 * size;
  return {
    kind: 'proxied',
    protocol,
    client: { address: textAt(view, PPV2_FIXED, size), port: view.readUInt16BE(ports) },
    entry: { address: textAt(view, PPV2_FIXED + size, size), port: view.readUInt16BE(ports + 2) },
    length,
  };
}

function tlvsFit(tlvs: Buffer): boolean {
  let at = 0;
  while (at + 3 <= tlvs.length) at += 3 + tlvs.readUInt16BE(at + 1);
  return at === tlvs.length;
}

/** A datagram is whole or it is not SPP: `incomplete` never comes back. */
export function parseSpp(datagram: Uint8Array): Parsed {
  if (datagram.length < SPP_SIZE) return invalid(`shorter than ${SPP_SIZE} bytes`);
  const view = Buffer.from(datagram.buffer, datagram.byteOffset, SPP_SIZE);
  if (view.readUInt16BE(0) !== SPP_MAGIC) return invalid('does not begin with 0x56ec');
  return {
    kind: 'proxied',
    protocol: 'UDP',
    client: { address: unmappedAt(view, 2), port: view.readUInt16BE(34) },
    entry: { address: unmappedAt(view, 18), port: view.readUInt16BE(36) },
    length: SPP_SIZE,
  };
}

function textAt(view: Buffer, at: number, size: number): string {
  return formatAddress(view.subarray(at, at + size));
}

function unmappedAt(view: Buffer, at: number): string {
  return formatAddress(unmappedBytes(view.subarray(at, at + 16)));
}
