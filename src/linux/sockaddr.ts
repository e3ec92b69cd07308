/**
 * Socket addresses as the kernel lays them out (struct sockaddr_in, sockaddr_in6): written from bytes, read back into bytes.
 * Pure but for the typed arrays handed in; only the functions that make text or a new array allocate. Used by the uring engine
 * and the guard.
 */
import { formatAddress, parseAddress } from '../lib/net/address.ts';
import { AF_INET, AF_INET6 } from './abi.ts';

/** Room for either; sockaddr_in6 has 28 bytes. */
export const NAME_BYTES = 32;
export const SOCKADDR_IN = 16;
export const SOCKADDR_IN6 = 28;

export function sizeOfFamily(family: number): number {
  return family === AF_INET6 ? SOCKADDR_IN6 : SOCKADDR_IN;
}

/** AF_INET or AF_INET6 by the text's form. The caller knows that it is an address. */
export function familyOf(address: string): number {
  return address.includes(':') ? AF_INET6 : AF_INET;
}

/** A socket address on its own, of exactly its size. Throws only on what is not an address. */
export function sockaddr(address: string, port: number): Uint8Array {
  const bytes = parseAddress(address);
  if (!bytes) throw new Error(`not an address: ${address}`);
  return sockaddrOf(bytes, port);
}

/** The same from 4 or 16 bytes. */
export function sockaddrOf(address: Uint8Array, port: number): Uint8Array {
  const out = new Uint8Array(address.length === 16 ? SOCKADDR_IN6 : SOCKADDR_IN);
  writeName(out, 0, address, port);
  return out;
}

/** Writes NAME_BYTES or less at `at`; `address` has 4 or 16 bytes. Returns the structure's size. */
export function writeName(memory: Uint8Array, at: number, address: Uint8Array, port: number): number {
  const v6 = address.length === 16;
  const size = v6 ? SOCKADDR_IN6 : SOCKADDR_IN;
  memory.fill(0, at, at + size);
  memory[at] = v6 ? AF_INET6 : AF_INET;
  memory[at + 2] = port >> 8;
  memory[at + 3] = port & 255;
  memory.set(address, at + (v6 ? 8 : 4));
  return size;
}

export function familyAt(memory: Uint8Array, at: number): number {
  return memory[at] ?? 0;
}

export function portAt(memory: Uint8Array, at: number): number {
  return ((memory[at + 2] ?? 0) << 8) | (memory[at + 3] ?? 0);
}

/** The first byte of the address itself. */
export function addressOffset(memory: Uint8Array, at: number): number {
  return at + (familyAt(memory, at) === AF_INET6 ? 8 : 4);
}

export function addressSize(memory: Uint8Array, at: number): number {
  return familyAt(memory, at) === AF_INET6 ? 16 : 4;
}

export function addressText(memory: Uint8Array, at: number): string {
  const from = addressOffset(memory, at);
  return formatAddress(memory.subarray(from, from + addressSize(memory, at)));
}
