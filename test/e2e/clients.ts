/** What the end-to-end tests connect with: a TCP and a UDP client that reach a rule's entry as any program would. */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PATIENCE_MS } from '../suites/engine/fixture.ts';

/** Resolves once connected. */
export async function dial(address: string, port: number): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true });
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

/** Sends, ends, and resolves with everything that came back. */
export async function exchange(address: string, port: number, payload: Buffer): Promise<Buffer> {
  const socket = await dial(address, port);
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  socket.end(payload);
  await once(socket, 'close');
  return Buffer.concat(parts);
}

/** Resolves with the echo of one message on a connection that stays open. */
export async function say(socket: Socket, text: string): Promise<string> {
  const over = new AbortController();
  const closed = (): void => over.abort(new Error('the connection is closed'));
  socket.once('close', closed);
  if (socket.destroyed) closed();
  try {
    const echo = once(socket, 'data', { signal: over.signal });
    socket.write(text);
    const [part] = (await echo) as [Buffer];
    return part.toString();
  } finally {
    socket.off('close', closed);
  }
}

/** One datagram there, one back. */
export async function datagram(
  address: string,
  port: number,
  payload: Buffer,
  withinMs = PATIENCE_MS,
): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(withinMs) });
    socket.send(payload, port, address);
    const [message] = (await answer) as [Buffer];
    return message;
  } finally {
    socket.close();
  }
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
