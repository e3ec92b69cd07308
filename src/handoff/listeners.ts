/**
 * The sockets of this process that are open to clients: TCP that listens, UDP that is bound and not connected. Asked of
 * the system, so that no part of the program has to register its own. Linux only; touches none of them.
 */
import {
  AF_INET,
  AF_INET6,
  F_DUPFD_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_TYPE,
} from '../linux/abi.ts';
import { readdirSync, readlinkSync } from 'node:fs';
import { errnoName, fcntl, getpeername, getsockname, getsockopt } from '../linux/ffi/libc.ts';
import { formatAddress } from '../lib/net/address.ts';
import { bindKey, type Socket } from './inherited.ts';

const NAME_BYTES = 128;

export interface Listening extends Socket {
  readonly key: string;
}

/** Each once, with any number of descriptors. */
export function listeners(): Listening[] {
  const found = new Map<number, Listening>();
  for (const name of readdirSync('/proc/self/fd')) {
    const listening = listeningAt(Number(name));
    if (listening) found.set(listening.number, listening);
  }
  return [...found.values()];
}

/** undefined: it is none, or no longer there. */
export function listeningAt(fd: number): Listening | undefined {
  const number = socketNumber(fd);
  if (number === undefined) return undefined;
  const type = option(fd, SO_TYPE);
  if (type === SOCK_STREAM ? option(fd, SO_ACCEPTCONN) !== 1 : type !== SOCK_DGRAM) return undefined;
  const bytes = Buffer.alloc(NAME_BYTES);
  const length = Int32Array.of(NAME_BYTES);
  if (type === SOCK_DGRAM && getpeername(fd, bytes, length) >= 0) return undefined;
  length[0] = NAME_BYTES;
  if (getsockname(fd, bytes, length) < 0) return undefined;
  const family = bytes.readUInt16LE(0);
  const port = bytes.readUInt16BE(2);
  if ((family !== AF_INET && family !== AF_INET6) || port === 0) return undefined;
  const address = family === AF_INET ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
  return { fd, number, key: bindKey(type === SOCK_STREAM ? 'TCP' : 'UDP', formatAddress(address), port) };
}

/** The same number in every process that has the socket. */
export function socketNumber(fd: number): number | undefined {
  try {
    const [, number] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
    return number === undefined ? undefined : Number(number);
  } catch {
    return undefined;
  }
}

/** Another descriptor of the same socket. Throws where the process may have no more. */
export function duplicate(fd: number): number {
  const more = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (more < 0) throw new Error(`a socket can't be kept (${errnoName(more)})`);
  return more;
}

function option(fd: number, name: number): number {
  const value = Int32Array.of(-1);
  return getsockopt(fd, SOL_SOCKET, name, value, Int32Array.of(4)) < 0 ? -1 : (value[0] ?? -1);
}
