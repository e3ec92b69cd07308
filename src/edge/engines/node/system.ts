/**
 * What node:net and node:dgram have no words for, on Linux through the C library. Elsewhere, and where that can't be
 * loaded, nothing happens: it refuses nothing that would work without it.
 */
import type { Socket as UdpSocket } from 'node:dgram';
import { Socket } from 'node:net';

const libc = process.platform === 'linux' ? await import('../../../lib/ffi/libc.ts').catch(() => undefined) : undefined;

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

/** Whether a rule may listen on the socket's port later, beside it. */
export function sharePort(socket: Socket | UdpSocket, may: boolean): void {
  const fd = descriptorOf(socket);
  if (fd >= 0) libc?.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, may ? ON : OFF, 4);
}

interface Handled {
  readonly _handle?: Handle;
  readonly handle?: Handle;
}
type Handle = { readonly fd?: number } | null;

/** Where every version of Node so far has it; -1 where another one has not. */
function descriptorOf(socket: Socket | UdpSocket): number {
  if (socket instanceof Socket) return (socket as unknown as Handled)._handle?.fd ?? -1;
  // not: its _handle, which warns of being asked for.
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  return (socket as unknown as Record<symbol, Handled>)[state ?? Symbol.iterator]?.handle?.fd ?? -1;
}
