/**
 * The last word on a connection that gets no answer of its own: too many, or not HTTP. It is written past node's server, and the
 * connection closes soon after it. Used by http.ts and exchanges.ts.
 */
import type { Socket } from 'node:net';
import type { RawRequest } from '../../api/call.ts';
import type { Fault } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import { type CallDoors, replyText } from './calls.ts';

/** limit: a peer that is turned away may read why for so long. */
const PARTING_MS = 2_000;

export class Partings {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #doors: Promise<Pick<CallDoors, 'refuse'>>;
  readonly #parted = new WeakSet<Socket>();

  constructor(clock: Pick<Clock, 'after'>, doors: Promise<Pick<CallDoors, 'refuse'>>) {
    this.#clock = clock;
    this.#doors = doors;
  }

  has(socket: Socket): boolean {
    return this.#parted.has(socket);
  }

  /** Refuses `raw`, or what is no call at all. May be called twice; the first one counts. */
  part(socket: Socket, fault: Fault, raw: RawRequest = noCall(socket)): void {
    if (this.#parted.has(socket)) return;
    this.#parted.add(socket);
    const timer = this.#clock.after(PARTING_MS, () => socket.destroy());
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
