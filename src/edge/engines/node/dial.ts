/** Connects to one origin within a time, and tells apart the ways in which that fails. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import type { EndCause } from '../../../link/facts.ts';
import { dialCause, isOutOfDescriptors } from '../../flow/causes.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import { SOCKET_OPTIONS } from './bind.ts';

export type Dialled =
  | { readonly socket: Socket }
  /** `no-descriptor`: it was not the origin's fault. */
  | { readonly failed: EndCause | 'no-descriptor' };

/** Calls back once, unless cancelled. */
export function dial(
  origin: Endpoint,
  timeoutMs: number,
  clock: Clock,
  done: (result: Dialled) => void,
): { cancel(): void } {
  const family = origin.address.includes(':') ? 6 : 4;
  const socket = connect({ ...SOCKET_OPTIONS, host: origin.address, port: origin.port, family });
  const timer = clock.after(timeoutMs, () => finish({ failed: 'origin-timeout' }));
  let isDone = false;

  function finish(result?: Dialled): void {
    if (isDone) return;
    isDone = true;
    timer.cancel();
    if (!result || 'failed' in result) socket.destroy();
    if (result) done(result);
  }

  // This handler stays for the life of the socket: whatever it is told after the dial, nothing throws.
  socket.on('error', (error: NodeJS.ErrnoException) => {
    finish({ failed: isOutOfDescriptors(error.code) ? 'no-descriptor' : dialCause(error.code) });
  });
  socket.once('connect', () => finish({ socket }));
  return { cancel: () => finish() };
}
