/**
 * Where an asker is, as far as an answer may depend on it: the EDNS client subnet of a resolver that sends one
 * (RFC 7871), else the network of the asking address. Pure; parses untrusted bytes. Called by query.ts and respond.ts.
 */
import { Buffer } from 'node:buffer';
import { parseAddress, unmappedBytes } from '../../lib/net/address.ts';

export interface Subnet {
  /** 1 is IPv4, 2 is IPv6. */
  readonly family: 1 | 2;
  /** Prefix length as sent. */
  readonly source: number;
  /** The prefix's bytes as sent: as many as the length needs. */
  readonly address: Buffer;
}

/** limit: RFC 7871 §11.1 advises /24 and /56 as the finest that says nothing about a person. */
const FINEST = { 1: 24, 2: 56 } as const;
const BITS = { 1: 32, 2: 128 } as const;

/** The option's content. Families without a meaning here are as good as absent (undefined). */
export function readSubnet(data: Buffer): Subnet | undefined | 'malformed' {
  if (data.length < 4) return 'malformed';
  const family = data.readUInt16BE(0);
  if (family !== 1 && family !== 2) return undefined;
  const source = data.readUInt8(2);
  const address = data.subarray(4);
  // RFC 7871 §6: too few or too many bytes, or bits beyond the prefix, are answered with FORMERR.
  if (source > BITS[family] || data.readUInt8(3) !== 0 || address.length !== Math.ceil(source / 8)) return 'malformed';
  const spare = address.length * 8 - source;
  if (spare > 0 && ((address.at(-1) ?? 0) & ((1 << spare) - 1)) !== 0) return 'malformed';
  return { family, source, address };
}

/** The scope to return when the answer was chosen by the subnet. */
export function scopeOf(subnet: Subnet): number {
  return Math.min(subnet.source, FINEST[subnet.family]);
}

/** The asker's network as a text: equal texts are treated alike. A subnet of length 0 asks not to be told apart. */
export function networkOf(asker: string, subnet: Subnet | undefined): string {
  if (subnet === undefined) return addressNetwork(asker);
  return networkText(subnet.family, subnet.address);
}

/** /24 of an IPv4 address (also one mapped into IPv6), /56 of an IPv6 address. */
export function addressNetwork(address: string): string {
  // A link-local address carries its interface: fe80::1%eth0.
  const bytes = unmappedBytes(parseAddress(address.split('%')[0] ?? '') ?? new Uint8Array(16));
  const family = bytes.length === 4 ? 1 : 2;
  return networkText(family, bytes);
}

function networkText(family: 1 | 2, address: Uint8Array): string {
  return `${family}/${Buffer.from(address.subarray(0, FINEST[family] / 8)).toString('hex')}`;
}
