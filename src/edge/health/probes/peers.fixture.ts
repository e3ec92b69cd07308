/** Origins of the probes' tests, on loopback: programs that answer bytes, and one that can be stopped. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Checker } from '../../../domain/load-balancer/checker.ts';
import { systemClock } from '../../../lib/clock.ts';
import { egressRule } from '../../../lib/net/egress.ts';
import { systemRng } from '../../../lib/rng.ts';
import { probe, type ProbeTools } from '../probe.ts';

export const HERE = '127.0.0.1';
export const TIMES = { intervalSeconds: 10, timeoutSeconds: 5, rise: 3, fall: 2 };
export const TOOLS: ProbeTools = {
  clock: systemClock,
  rng: systemRng,
  egress: egressRule(['127.9.0.0/16']),
  lookup: () => Promise.reject(new Error('ENOTFOUND')),
};
export const probed = (checker: Checker, tools = TOOLS) => probe(HERE, checker, tools);

/** Listens until the test is over; gives its port. */
export async function listening(
  t: TestContext,
  accept: (socket: Socket) => void,
  server: Server = createServer(),
): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}).once('close', () => open.delete(socket));
    accept(socket);
  });
  server.listen(0, HERE);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** Each piece is a segment. */
export async function say(socket: Socket, ...pieces: readonly (string | Uint8Array)[]): Promise<void> {
  socket.setNoDelay();
  for (const piece of pieces) {
    await new Promise((done) => socket.write(piece, done));
    await turn();
  }
}

/** Answers each datagram with these. */
export async function answering(t: TestContext, ...answers: readonly (string | Uint8Array)[]): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (_, from) => {
    for (const answer of answers) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, HERE);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

/** A port where no program listens. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, HERE);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** A program of its own that answers every PING; `signal` stops it or lets it go on. */
export async function program(
  t: TestContext,
): Promise<{ readonly port: number; signal: (name: NodeJS.Signals) => void }> {
  const text = `
    const { createServer } = require('node:net');
    const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.write('+PONG\\r\\n')));
    server.listen(0, '${HERE}', () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(String(port)), signal: (name) => void child.kill(name) };
}
