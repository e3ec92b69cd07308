/** TCP origins and clients for the engine cases. All of them are closed with the case. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { anAddress } from './fixture.ts';

export interface TcpOrigin {
  readonly address: string;
  readonly port: number;
  /** In the order of arrival. */
  readonly connections: Socket[];
  readonly server: Server;
}

/** Sends everything back, and FIN after FIN. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}

export async function tcpOrigin(
  t: TestContext,
  serve: (socket: Socket) => void = echo,
  at: { address?: string; port?: number } = {},
): Promise<TcpOrigin> {
  const address = at.address ?? anAddress();
  const connections: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    connections.push(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(at.port ?? 0, address);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  const bound = server.address();
  return { address, port: typeof bound === 'object' && bound ? bound.port : 0, connections, server };
}

/** A client on its way: for readAll, which takes any failure as an end. */
export function dialTcp(t: TestContext, address: string, port: number, from?: string, fromPort?: number): Socket {
  const socket = connect({
    host: address,
    port,
    allowHalfOpen: true,
    noDelay: true,
    ...(from && { localAddress: from }),
    ...(fromPort && { localPort: fromPort }),
  });
  t.after(() => socket.destroy());
  return socket;
}

/** A connected client; rejects where the connection is refused. */
export async function tcpClient(t: TestContext, address: string, port: number, from?: string): Promise<Socket> {
  const socket = dialTcp(t, address, port, from);
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

export interface Received {
  readonly bytes: Buffer;
  /** How the stream ended: FIN or RST. */
  readonly end: 'fin' | 'reset';
}

/** Everything that comes until the peer ends. */
export function readAll(socket: Socket): Promise<Received> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const done = (end: Received['end']) => (): void => resolve({ bytes: Buffer.concat(chunks), end });
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', done('fin'));
    socket.on('error', done('reset'));
    socket.on('close', done('reset'));
  });
}

/** One line of conversation: sends `text` and takes as many bytes back. */
export function ask(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const closed = (): void => reject(new Error(`closed before the answer to "${text}"`));
    const take = (chunk: Buffer): void => {
      answer += chunk.toString('latin1');
      if (answer.length < text.length) return;
      socket.off('data', take).off('close', closed);
      resolve(answer);
    };
    socket.on('data', take).once('close', closed);
    socket.write(text);
  });
}

/**
 * An origin that never answers a handshake: a thread that listens and then sleeps, with its backlog filled, so that the
 * system drops every further SYN.
 */
export async function deafOrigin(t: TestContext, at = 0): Promise<{ address: string; port: number }> {
  const address = anAddress();
  const code = `
    const { createServer } = require('node:net');
    const { parentPort } = require('node:worker_threads');
    const server = createServer().listen({ host: '${address}', port: ${at}, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      // order: before it looks at its socket again, however soon somebody comes.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const fillers = Array.from({ length: 4 }, () => connect(port, address).on('error', () => {}));
  t.after(() => fillers.forEach((socket) => socket.destroy()));
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
  return { address, port };
}

/** Runs it so many times, a few at once. */
export async function repeat(times: number, atOnce: number, run: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let i = next++; i < times; i = next++) await run(i);
    }),
  );
}
