/**
 * Whether a rule may have the places it wants: its addresses must be on this machine, its ports not another program's. A rule
 * in the kernel binds nothing, so it would silently take the traffic away from the program that listens there. Asked by
 * binding each place for a moment, without listening. Called when a rule is applied.
 */
import { AF_INET, AF_INET6, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR } from '../../linux/abi.ts';
import type { Listener } from '../engine.ts';
import { isHeldByUs } from '../../linux/udp-holders.ts';
import { bindReason } from '../flow/causes.ts';
import { type BindPoint, bindPoints } from '../flow/endpoints.ts';
import { parseAddress } from '../../lib/net/address.ts';
import { bindTo, close, errnoName, setsockopt, socket } from '../../linux/ffi/libc.ts';

/** Errors that say nothing about another program: this process may not bind the port, and need not. */
const HARMLESS = new Set(['EACCES', 'EPERM']);

/** Why the listener can't have its places. Those in one of `ours` it has already, here or in another engine. */
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
  // Earlier connections on this port do not count, a socket that listens does.
  if (protocol === 'TCP') setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, Uint32Array.of(1), 4);
  const name = new DataView(new ArrayBuffer(isV4 ? 16 : 28));
  name.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  name.setUint16(2, port);
  new Uint8Array(name.buffer).set(bytes, isV4 ? 4 : 8);
  const bound = bindTo(fd, name, name.byteLength);
  close(fd);
  return bound < 0 ? errnoName(bound) : undefined;
}
