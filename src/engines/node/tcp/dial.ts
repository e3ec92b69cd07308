/**
 * Connects to one origin within a time, from a port of ours where one is to be had, and tells apart the ways in which that
 * fails.
 */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { dialCause, isOutOfDescriptors, isPortRefused } from '../../flow/causes.ts';
import { countDrop, type LiveCounters } from '../../flow/counters.ts';
import type { SourcePorts } from '../../flow/source-ports.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import { SOCKET_OPTIONS } from '../bind.ts';
import { sharePort } from '../system.ts';

export type Dialled =
  | { readonly socket: Socket }
  /** `no-descriptor`: it was not the origin's fault. */
  | { readonly failed: EndCause | 'no-descriptor' };

interface DialDeps {
  readonly clock: Clock;
  readonly sources: SourcePorts | undefined;
  readonly counters: LiveCounters;
}

/** Calls back once, unless cancelled. */
export function dial(
  origin: Endpoint,
  timeoutMs: number,
  { clock, sources, counters }: DialDeps,
  done: (result: Dialled) => void,
): { cancel(): void } {
  const family = origin.address.includes(':') ? 6 : 4;
  const destination = sources ? numberOf(origin) : 0;
  const timer = clock.after(timeoutMs, () => finish({ failed: 'origin-timeout' }));
  let refusals = 0;
  let isDone = false;
  let socket = open();

  function open(): Socket {
    const localPort = sources?.next(destination, refusals) ?? 0;
    if (localPort === 0 && refusals > 0) countDrop(counters, 'wait-source-ports');
    // The system's library sets SO_REUSEADDR where it binds, so that a port in TIME_WAIT towards another peer will do.
    const from = localPort > 0 && { localPort };
    const made = connect({ ...SOCKET_OPTIONS, ...from, host: origin.address, port: origin.port, family });
    // This handler stays for the life of the socket: whatever it is told after the dial, nothing throws.
    made.on('error', (error: NodeJS.ErrnoException) => {
      if (isDone || made !== socket) return;
      if (localPort > 0 && isPortRefused(error.code)) {
        refusals++;
        socket = open();
      } else finish({ failed: isOutOfDescriptors(error.code) ? 'no-descriptor' : dialCause(error.code) });
    });
    made.once('connect', () => {
      sharePort(made, true);
      finish({ socket: made });
    });
    return made;
  }

  function finish(result?: Dialled): void {
    if (isDone) return;
    isDone = true;
    timer.cancel();
    if (!result || 'failed' in result) socket.destroy();
    if (result) done(result);
  }

  return { cancel: () => finish() };
}

/** The same for the same origin; two that share one share a turn. */
function numberOf({ address, port }: Endpoint): number {
  let number = port;
  for (let i = 0; i < address.length; i++) number = Math.imul(number, 31) + address.charCodeAt(i);
  return number;
}
