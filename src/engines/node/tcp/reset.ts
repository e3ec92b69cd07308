/** Ends a TCP socket with RST, so that the peer can tell an abort from an end. Safe in every state of the socket. */
import type { Socket } from 'node:net';

export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  // Before the handshake is over there is no peer to tell.
  if (socket.connecting) socket.destroy();
  // not: at once. While a shutdown is on its way the system refuses the reset and Node would leak the descriptor; the
  // shutdown takes one turn of the loop.
  else if (isShuttingDown(socket)) socket.once('finish', () => reset(socket));
  else socket.resetAndDestroy();
}

function isShuttingDown(socket: Socket): boolean {
  return socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
}
