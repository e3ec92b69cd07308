/**
 * Moves bytes between two connected sockets until both have ended. Half-closes and resets pass to the other side, a reset
 * behind all that came before it; a reader that is slow stops the writer opposite, so that at most one high-water mark and
 * one chunk wait per direction.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { SETTLE_MS, STALLED_MS } from '../../flow/behaviour.ts';
import { reset } from './reset.ts';
import { undelivered } from '../system.ts';

interface RelayEvents {
  /** Payload from the client. */
  in(bytes: number): void;
  /** Payload from the origin. */
  out(bytes: number): void;
  /** Once, when both sockets are closed or about to be. */
  over(cause: EndCause): void;
}

export function relay(client: Socket, origin: Socket, clock: Clock, events: RelayEvents): void {
  let open = 2;
  let cause: EndCause | undefined;
  let isOver = false;
  let isBroken = false;

  function over(why: EndCause): void {
    if (isOver) return;
    isOver = true;
    events.over(why);
  }

  const count = { in: (bytes: number) => events.in(bytes), out: (bytes: number) => events.out(bytes) };
  pump(client, origin, count.in);
  pump(origin, client, count.out);
  client.on('end', () => (cause ??= 'client-closed'));
  origin.on('end', () => (cause ??= 'origin-closed'));
  watch(client, origin, count.in, 'client-reset');
  watch(origin, client, count.out, 'origin-reset');
  // The client was accepted unread.
  client.resume();

  function watch(socket: Socket, peer: Socket, count: (bytes: number) => void, onError: EndCause): void {
    socket.on('error', () => {
      // The other one is dead already, and this one too.
      if (isBroken) return over(cause ?? onError);
      isBroken = true;
      cause = onError;
      for (let rest = socket.read() as Buffer | null; rest; rest = socket.read() as Buffer | null) {
        count(rest.length);
        peer.write(rest);
      }
      // Bytes that it still writes are dropped: else a peer that writes before it reads would hold up the delivery.
      peer.resume();
      settle(peer, clock, () => {
        reset(peer);
        over(onError);
      });
    });
    socket.on('close', () => {
      if (--open === 0) over(cause ?? 'error');
    });
  }
}

function pump(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    if (to.destroyed) return;
    count(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
}

/** Waits until the peer has got all that was written, is gone, or takes nothing any more: a reset would drop it. */
function settle(socket: Socket, clock: Clock, done: () => void): void {
  let seenAt = clock.monotonic();
  let last = -1;
  look();

  function look(): void {
    const { left, acked } = undelivered(socket);
    if (socket.destroyed || (left === 0 && socket.writableLength === 0)) return done();
    if (acked !== last) seenAt = clock.monotonic();
    else if (clock.monotonic() - seenAt >= STALLED_MS) return done();
    last = acked;
    clock.after(SETTLE_MS, look);
  }
}
