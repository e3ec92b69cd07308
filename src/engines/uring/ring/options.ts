/**
 * Options of sockets. Those of TCP sockets on the way to an origin are set in the ring where the kernel can (Linux 6.7), else
 * by a call of their own; each worker finds out once, on a socket that goes nowhere. Called by tcp/dial.ts, and by host/ for
 * sockets that listen. It refuses other options than the ones here.
 */
import { close, mapPages, setsockopt, socket, unmap } from '../../../linux/ffi/libc.ts';
import { KEEPALIVE_SECONDS } from '../../flow/behaviour.ts';
import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_RCVBUF,
  SO_SNDBUF,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../../../linux/abi.ts';
import { setOption } from './operations.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import type { Ring } from './ring.ts';

/** limit: another minute of probes is patience with a path that is down for a moment. */
const KEEPALIVE = [
  [SOL_SOCKET, SO_KEEPALIVE, 1],
  [IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_SECONDS],
  [IPPROTO_TCP, TCP_KEEPINTVL, 10],
  [IPPROTO_TCP, TCP_KEEPCNT, 6],
] as const;

/** limit: a burst of 100,000 datagrams a second for 20 ms; the system cuts it to net.core.rmem_max. */
const UDP_BUFFER_BYTES = Int32Array.of(4 << 20);

/** All that options are ever set to in the ring. */
const VALUES = [0, 1, KEEPALIVE_SECONDS, 10, 6] as const;
type Value = (typeof VALUES)[number];

type SetOption = (fd: number, level: number, name: number, value: Value) => void;
export type OptionSetter = SetOption & { readonly inRing: boolean };

/** A call each; for listening sockets, whose options accepted ones inherit. */
export function setNow(fd: number, level: number, name: number, value: number): void {
  setsockopt(fd, level, name, Int32Array.of(value), 4);
}

export function keepAlive(fd: number, set: SetOption): void {
  for (let i = 0; i < KEEPALIVE.length; i++) {
    const [level, name, value] = KEEPALIVE[i]!;
    set(fd, level, name, value);
  }
}

/** The buffers of a UDP socket, as far as the system allows. */
export function enlargeBuffers(fd: number): void {
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER_BYTES, 4);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER_BYTES, 4);
}

/** The ring is fresh: nothing else is under way. */
export function optionSetter(ring: Ring): OptionSetter {
  const values = mapPages(VALUES.length * 4);
  if (typeof values === 'number' || !inRing(ring, values)) {
    if (typeof values !== 'number') unmap(values);
    const held = VALUES.map((value) => Int32Array.of(value));
    const set = (fd: number, level: number, name: number, value: Value): void =>
      void setsockopt(fd, level, name, held[VALUES.indexOf(value)]!, 4);
    return Object.assign(set, { inRing: false });
  }
  new Int32Array(values.buffer).set(VALUES);
  const set = (fd: number, level: number, name: number, value: Value): void =>
    setOption(ring, fd, level, name, values, 4 * VALUES.indexOf(value));
  return Object.assign(set, { inRing: true });
}

/** Success posts no completion, failure does: after a call that waits for nothing, none means that it works. */
function inRing(ring: Ring, values: Slab): boolean {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  setOption(ring, fd, IPPROTO_TCP, TCP_NODELAY, values, 0);
  ring.enter(0, 0);
  const head = ring.cqHead();
  const works = ring.cqTail() === head;
  ring.advance(ring.cqTail());
  close(fd);
  return works;
}
