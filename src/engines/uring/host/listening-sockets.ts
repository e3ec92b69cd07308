/**
 * The sockets that rules listen on. The agent's thread opens and binds them, so that a refusal is told once and in words;
 * a worker serves and closes them. Small rules get one socket per worker (SO_REUSEPORT: the kernel deals connections);
 * wide port ranges get one socket per port, and the ports are dealt instead.
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
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  TCP_NODELAY,
} from '../../../linux/abi.ts';
import { keepAlive, setNow } from '../ring/options.ts';
import { familyOf, sockaddr } from '../ring/sockaddr.ts';

/** limit: descriptors grow with ports × workers; beyond this many ports every port has work for one worker only. */
export const WIDE = 32;
/** limit: net.core.somaxconn cuts it to what the system allows. */
const BACKLOG = 65_535;
/** limit: a burst of 100,000 datagrams a second for 20 ms; the system cuts it to net.core.rmem_max. */
const UDP_BUFFER = 4 << 20;

const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

/** Descriptors by worker; one worker may have none, or (where they were inherited) several. */
export type Dealt = readonly (readonly number[])[];

/** limit: what is left of the descriptors is for connections. */
const MOST_LISTENING = 3 / 4;

/**
 * Why so many more sockets are too many where so many are bound in wide ranges and the engine may have `descriptors`, in
 * words; undefined: they fit. `lacking` says why one socket can't take them all.
 */
export function whyTooMany(
  missing: readonly BindPoint[],
  bound: number,
  descriptors: number,
  lacking: () => string | undefined,
): string | undefined {
  const [first, last] = [missing[0], missing.at(-1)];
  const room = Math.max(0, Math.floor(descriptors * MOST_LISTENING) - bound);
  if (!first || !last || missing.length <= room) return undefined;
  const what = `${first.protocol} ports ${first.port} to ${last.port}: ${missing.length} sockets are needed, ${room} fit`;
  const raise = `${what} (of ${descriptors} descriptors). Raise the limit of open files (LimitNOFILE, ulimit -Hn)`;
  const why = first.protocol === 'TCP' ? lacking() : undefined;
  return why === undefined ? raise : `${raise}, or give CAP_BPF and CAP_NET_ADMIN: then one socket does (now: ${why})`;
}

/** The name of the error that refuses a point; undefined: it is free. */
export function whyRefused(point: BindPoint): string | undefined {
  const free = tryBind(point, false);
  if (typeof free === 'string') return free;
  close(free);
  return undefined;
}

/** The descriptors of a point, or the name of the error that refused it. A UDP port that only sessions have will do. */
export function openPoint(point: BindPoint, workers: number, only: number | undefined): Dealt | string {
  const refused = whyRefused(point);
  const beside = refused === 'EADDRINUSE' && point.protocol === 'UDP' && isHeldByPeersAlone(point.port);
  if (refused !== undefined && !beside) return refused;
  const fds: number[][] = Array.from({ length: workers }, () => []);
  for (let worker = 0; worker < workers; worker++) {
    if (only !== undefined && worker !== only) continue;
    const fd = tryBind(point, only === undefined && workers > 1, beside);
    if (typeof fd === 'string') {
      closeAll(fds);
      return fd;
    }
    fds[worker]?.push(fd);
    const deaf = point.protocol === 'TCP' ? listen(fd, BACKLOG) : 0;
    if (deaf < 0) {
      closeAll(fds);
      return errnoName(deaf);
    }
  }
  return fds;
}

const SIZE = Int32Array.of(UDP_BUFFER);

/** A UDP socket's buffers, as far as the system allows. */
export function enlarge(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, SIZE, 4);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, SIZE, 4);
}

export function closeAll(fds: Dealt): void {
  for (const fd of fds.flat()) close(fd);
}

/**
 * order: the first attempt does without SO_REUSEPORT, because with it a program of the same user that has the port would
 * go unnoticed and get half of the connections.
 */
function tryBind(point: BindPoint, shared: boolean, beside = false): number | string {
  const tcp = point.protocol === 'TCP';
  const family = familyOf(point.address);
  const fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  if (fd < 0) return errnoName(fd);
  const on = (level: number, name: number): void => void setsockopt(fd, level, name, ON, 4);
  if (beside) on(SOL_SOCKET, SO_REUSEADDR);
  if (family === AF_INET6) on(IPPROTO_IPV6, IPV6_V6ONLY);
  if (shared) on(SOL_SOCKET, SO_REUSEPORT);
  if (tcp) {
    on(SOL_SOCKET, SO_REUSEADDR);
    // Inherited by what is accepted.
    on(IPPROTO_TCP, TCP_NODELAY);
    keepAlive(fd, setNow);
  } else enlarge(fd);
  const name = sockaddr(point.address, point.port);
  const refused = bindTo(fd, name, name.length);
  // From now on nobody else listens here.
  if (beside) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, OFF, 4);
  if (refused >= 0) return fd;
  close(fd);
  return errnoName(refused);
}
