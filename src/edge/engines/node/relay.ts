/**
 * Moves bytes between two connected sockets until both have ended. Half-closes and resets pass to the other side; a
 * reader that is slow stops the writer opposite, so that at most one high-water mark and one chunk wait per direction.
 */
import type { Socket } from 'node:net';
import type { EndCause } from '../../../link/facts.ts';
import { reset } from './reset.ts';

export interface RelayEvents {
  /** Payload from the client. */
  in(bytes: number): void;
  /** Payload from the origin. */
  out(bytes: number): void;
  /** Once, when both sockets are closed or about to be. */
  over(cause: EndCause): void;
}

export function relay(client: Socket, origin: Socket, events: RelayEvents): void {
  let open = 2;
  let cause: EndCause | undefined;
  let isOver = false;

  function over(why: EndCause): void {
    if (isOver) return;
    isOver = true;
    events.over(why);
  }

  pump(client, origin, (bytes) => events.in(bytes));
  pump(origin, client, (bytes) => events.out(bytes));
  client.on('end', () => (cause ??= 'client-closed'));
  origin.on('end', () => (cause ??= 'origin-closed'));
  watch(client, origin, 'client-reset');
  watch(origin, client, 'origin-reset');
  // The client was accepted unread.
  client.resume();

  function watch(socket: Socket, peer: Socket, onError: EndCause): void {
    socket.on('error', () => {
      reset(peer);
      over(onError);
    });
    socket.on('close', () => {
      if (--open === 0) over(cause ?? 'error');
    });
  }
}

function pump(from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    if (!to.write(chunk)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => to.end());
}
