/**
 * Connections that are refused as a whole: too many, or not HTTP. The refusal is written past node's server, and the connection
 * closes soon after it. Used by http.ts and exchanges.ts.
 */
import type { Socket } from 'node:net';
import type { RawRequest } from '../../api/call.ts';
import type { Fault } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import { type CallDoors, replyText } from './calls.ts';

/** limit: a peer that is turned away may read why for so long. */
const READ_MS = 2_000;

export class RefusedConnections {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #doors: Promise<Pick<CallDoors, 'refuse'>>;
  readonly #refused = new WeakSet<Socket>();

  constructor(clock: Pick<Clock, 'after'>, doors: Promise<Pick<CallDoors, 'refuse'>>) {
    this.#clock = clock;
    this.#doors = doors;
  }

  has(socket: Socket): boolean {
    return this.#refused.has(socket);
  }

  /** Refuses `raw`, or what is no call at all. May be called twice; the first one counts. */
  refuse(socket: Socket, fault: Fault, raw: RawRequest = noCall(socket)): void {
    if (this.#refused.has(socket)) return;
    this.#refused.add(socket);
    const timer = this.#clock.after(READ_MS, () => socket.destroy());
    socket.once('close', () => timer.cancel());
    socket.on('error', () => {});
    this.#doors.then(
      (api) => socket.end(replyText(api.refuse(raw, fault))),
      () => socket.destroy(),
    );
  }
}

/** Stands for a call where there is none to refuse. */
export function noCall({ remoteAddress = '' }: Socket): RawRequest {
  return { method: '', url: '', headers: {}, body: new Uint8Array(), peer: remoteAddress };
}
