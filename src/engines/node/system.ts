/**
 * Calls that node:net and node:dgram do not have, on Linux through the C library. Elsewhere, and where that can't be
 * loaded, nothing happens: it refuses nothing that would work without it.
 */
import { IPPROTO_TCP, SOL_SOCKET, SO_REUSEADDR, TCP_CLOSE, TCP_INFO } from '../../linux/abi.ts';
import type { Socket as UdpSocket } from 'node:dgram';
import { Socket } from 'node:net';

const libc = process.platform === 'linux' ? await import('../../linux/ffi/libc.ts').catch(() => undefined) : undefined;

const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

/** Whether a rule may listen on the socket's port later, beside it. */
export function sharePort(socket: Socket | UdpSocket, may: boolean): void {
  const fd = descriptorOf(socket);
  if (fd >= 0) libc?.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, may ? ON : OFF, 4);
}

/** struct tcp_info: state, unacknowledged segments, bytes acknowledged (their low word), bytes not sent. */
const INFO = new Uint8Array(160);
const WORDS = new Uint32Array(INFO.buffer);

/**
 * Bytes and segments that were written to the socket and that the peer has not got; 0 also where the system does not say or
 * the peer is gone. `acked` moves as long as the peer takes something.
 */
export function undelivered(socket: Socket): { readonly left: number; readonly acked: number } {
  const fd = descriptorOf(socket);
  const length = Int32Array.of(INFO.length);
  const isKnown = fd >= 0 && libc?.getsockopt(fd, IPPROTO_TCP, TCP_INFO, INFO, length) === 0;
  if (!isKnown || INFO[0] === TCP_CLOSE) return { left: 0, acked: 0 };
  return { left: (WORDS[24 >> 2] ?? 0) + (WORDS[144 >> 2] ?? 0), acked: WORDS[120 >> 2] ?? 0 };
}

interface Handled {
  readonly _handle?: Handle;
  readonly handle?: Handle;
}
type Handle = { readonly fd?: number } | null;

/** Read where every version of Node so far keeps it; -1: this one does not. */
function descriptorOf(socket: Socket | UdpSocket): number {
  if (socket instanceof Socket) return (socket as unknown as Handled)._handle?.fd ?? -1;
  // not: its _handle, which warns of being asked for.
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return (socket as unknown as Record<symbol, Handled>)[state ?? Symbol.iterator]?.handle?.fd ?? -1;
}
