/**
 * Opens and binds the sockets that rules listen on, on the agent's thread, so that a refusal is told once and in words. A
 * small rule gets one socket per worker (SO_REUSEPORT: the kernel deals connections); a wide range of ports gets one socket
 * per port, and the ports are dealt instead. It refuses to serve or close what it has handed out: workers do. Called by
 * bind.ts; ranges.ts asks whether a port is free.
 */
import { bindTo, close, errnoName, listen, setsockopt, socket } from '../../../linux/ffi/libc.ts';
import { isHeldByPeersAlone } from '../../../linux/udp-holders.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_NODELAY,
} from '../../../linux/abi.ts';
import { enlargeBuffers, keepAlive, setNow } from '../ring/options.ts';
import { familyOf, sockaddr } from '../../../linux/sockaddr.ts';

/** limit: descriptors grow with ports × workers; each port of a wider range has a socket in one worker only. */
export const MOST_PORTS_IN_ALL_WORKERS = 32;
/** limit: the system cuts it to net.core.somaxconn. */
const BACKLOG = 65_535;

const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

/** Descriptors by worker; one worker may have none, or (where they were inherited) several. */
type SocketsByWorker = readonly (readonly number[])[];

/** An address and port of a rule, and the sockets that are bound to it. */
export interface BoundPoint {
  readonly point: BindPoint;
  readonly fds: SocketsByWorker;
}

/** The name of the error that refuses a point; undefined: it is free. */
export function whyRefused(point: BindPoint): string | undefined {
  const free = bind(point, false, false);
  if (typeof free === 'string') return free;
  close(free);
  return undefined;
}

/** The sockets of a point, or the name of the error that refused it. A UDP port that only sessions have is free. */
export function openPoint(point: BindPoint, workers: number, only: number | undefined): SocketsByWorker | string {
  // order: first without SO_REUSEPORT. With it, a program of the same user that has the port would go unnoticed and get half
  // of the connections.
  const refused = whyRefused(point);
  const isBeside =
    refused === 'EADDRINUSE' && point.protocol === 'UDP' && isHeldByPeersAlone(point.address, point.port);
  if (refused !== undefined && !isBeside) return refused;
  const fds: number[][] = Array.from({ length: workers }, () => []);
  const isShared = only === undefined && workers > 1;
  for (const [worker, mine] of fds.entries()) {
    if (only !== undefined && worker !== only) continue;
    const fd = openListening(point, isShared, isBeside);
    if (typeof fd === 'string') {
      closeAll(fds);
      return fd;
    }
    mine.push(fd);
  }
  return fds;
}

export function closeAll(fds: SocketsByWorker): void {
  for (const fd of fds.flat()) close(fd);
}

/** A bound socket, of TCP one that listens; else the name of the error. */
function openListening(point: BindPoint, isShared: boolean, isBeside: boolean): number | string {
  const fd = bind(point, isShared, isBeside);
  if (typeof fd === 'string' || point.protocol === 'UDP') return fd;
  const result = listen(fd, BACKLOG);
  if (result >= 0) return fd;
  close(fd);
  return errnoName(result);
}

/** `isShared`: with the sockets of other workers. `isBeside`: beside sockets of sessions, which are connected. */
function bind(point: BindPoint, isShared: boolean, isBeside: boolean): number | string {
  const tcp = point.protocol === 'TCP';
  const family = familyOf(point.address);
  const fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (fd < 0) return errnoName(fd);
  const on = (level: number, name: number): void => void setsockopt(fd, level, name, ON, 4);
  if (isBeside) on(SOL_SOCKET, SO_REUSEADDR);
  if (family === AF_INET6) on(IPPROTO_IPV6, IPV6_V6ONLY);
  if (isShared) on(SOL_SOCKET, SO_REUSEPORT);
  if (tcp) {
    on(SOL_SOCKET, SO_REUSEADDR);
    // Inherited by what is accepted.
    on(IPPROTO_TCP, TCP_NODELAY);
    keepAlive(fd, setNow);
  } else enlargeBuffers(fd);
  const name = sockaddr(point.address, point.port);
  const refused = bindTo(fd, name, name.length);
  // From now on no other socket can be bound here.
  if (isBeside) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, OFF, 4);
  if (refused >= 0) return fd;
  close(fd);
  return errnoName(refused);
}
