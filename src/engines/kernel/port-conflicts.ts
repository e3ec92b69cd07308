/**
 * Whether the places a rule wants are ours to take: its addresses on this machine, its ports not another program's. A
 * rule in the kernel binds nothing, so it would silently take the traffic away from who listens there. Asked by binding
 * each for a moment, without listening.
 */
import { AF_INET, AF_INET6, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR } from '../../linux/abi.ts';
import type { Listener } from '../engine.ts';
import { isHeldByUs } from '../../linux/udp-holders.ts';
import { bindReason } from '../flow/causes.ts';
import { type BindPoint, bindPoints } from '../flow/endpoints.ts';
import { parseAddress } from '../../lib/net/address.ts';
import { bindTo, close, errnoName, setsockopt, socket } from '../../linux/ffi/libc.ts';
import type { Refusal } from '../../linux/nft/nft.ts';

/** What says nothing about who has the port: it may not be bound by us, and need not be. */
const HARMLESS = new Set(['EACCES', 'EPERM']);

/** Why the listener can't have its places; those in one of `ours` it has already, here or in another engine. */
export function portConflict(listener: Listener, ours: readonly { has(key: string): boolean }[]): string | undefined {
  const points = bindPoints(listener);
  for (const point of points.values()) {
    const error = ours.some((points) => points.has(point.key)) ? undefined : tryBind(point);
    if (error !== undefined && !HARMLESS.has(error)) return bindReason(error, point, points.size, isHeldByUs);
  }
  return undefined;
}

function tryBind({ protocol, address, port }: BindPoint): string | undefined {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  const isV4 = bytes.length === 4;
  const fd = socket(isV4 ? AF_INET : AF_INET6, (protocol === 'TCP' ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (fd < 0) return errnoName(fd);
  // Connections that others had on this port do not count, one that listens does.
  if (protocol === 'TCP') setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Uint32Array.of(1), 4);
  const name = new DataView(new ArrayBuffer(isV4 ? 16 : 28));
  name.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  name.setUint16(2, port);
  new Uint8Array(name.buffer).set(bytes, isV4 ? 4 : 8);
  const bound = bindTo(fd, name, name.byteLength);
  close(fd);
  return bound < 0 ? errnoName(bound) : undefined;
}

/** What nft or the kernel says, as an operator reads it. */
export function explainRefusal(refusal: Refusal): string {
  if (/File exists|conflicting|EEXIST|EBUSY/.test(refusal))
    return 'another rule of this edge has one of its addresses and ports';
  return `the kernel refuses it: ${refusal}`;
}
