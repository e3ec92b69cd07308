/** What the tests of the kernel engine's truth share: connections in number, an origin that counts, and the sum that holds. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import type { TestContext } from 'node:test';
import type { Listener } from '../../src/engines/engine.ts';
import type { KernelStatus } from './kernel-agent.ts';

export interface CountingOrigin {
  readonly address: string;
  readonly port: number;
  /** Connections accepted, or sockets that have sent something. */
  count(): number;
}

/** Sends everything back. A connection whose first byte is E, it ends itself. */
export async function countingOrigin(t: TestContext, address: string, port = 0): Promise<CountingOrigin> {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => (bytes[0] === 69 ? socket.end(bytes) : socket.write(bytes)));
  });
  server.listen({ host: address, port, backlog: 1024 });
  await once(server, 'listening');
  t.after(() => server.close());
  return { address, port: (server.address() as { port: number }).port, count: () => count };
}

export async function countingUdpOrigin(t: TestContext, address: string): Promise<CountingOrigin> {
  const senders = new Set<string>();
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
  socket.on('message', (bytes, from) => {
    senders.add(`${from.address} ${from.port}`);
    socket.send(bytes, from.port, from.address);
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { address, port: socket.address().port, count: () => senders.size };
}

/**
 * limit: 50,000 per rule. Each has a source port of its own, because an origin that has ended a connection keeps its port
 * for a minute, and whoever comes from there again is asked to try again.
 */
const FIRST_PORT = 10_000;
const AT_ONCE = 48;

/**
 * So many connections, or sessions, one after the other on each of 48 lanes: some bytes there and back, of different
 * number; the first of three is ended by the client, the second by the origin, the third reset. Over all ports of the rule.
 * `skip`: so many have been made before.
 */
export async function talk(rule: Listener, count: number, localAddress: string, skip = 0): Promise<void> {
  const ports = rule.ports.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const from = { localAddress, localPort: FIRST_PORT + skip + i };
      const at = { host: rule.entries[0] ?? '', port: ports[i % ports.length] ?? 0, ...from };
      await (rule.protocol === 'TCP' ? connection(at, i) : session(at, i));
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
}

interface At {
  readonly host: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
}

async function connection(at: At, i: number): Promise<void> {
  const socket = connect({ ...at, noDelay: true });
  const text = `${i % 3 === 1 ? 'E' : 'x'}${'y'.repeat((i * 37) % 900)}`;
  await new Promise<void>((resolve, reject) => {
    let got = 0;
    const done = (): void => {
      if (i % 3 === 2) socket.resetAndDestroy();
      else socket.end();
    };
    socket.on('connect', () => socket.write(text));
    socket.on('data', (bytes) => {
      got += bytes.length;
      if (got === text.length) done();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => reject(error));
    socket.on('close', () => (got === text.length ? resolve() : reject(new Error(`closed after ${got} bytes`))));
  });
}

async function session({ host, port, localAddress, localPort }: At, i: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(localPort, localAddress);
  await once(socket, 'listening');
  for (let sent = 0; sent <= i % 3; sent++) {
    socket.send('y'.repeat((i * 37) % 900), port, host);
    await once(socket, 'message');
  }
  socket.close();
}

interface Sum {
  readonly connections: number;
  readonly records: number;
  readonly sampled: number;
  readonly lost: number;
  readonly active: number;
}

/** Of one rule: connections = records + sampled + lost + active, when nothing is on its way. */
export function sumOf({ counters, records }: KernelStatus, rule: string): Sum {
  const { connections = 0, active = 0, unrecorded = {} } = counters[rule] ?? {};
  const ended = Object.values(records[rule]?.ends ?? {}).reduce((sum, one) => sum + one, 0);
  return { connections, records: ended, sampled: unrecorded['sampled'] ?? 0, lost: unrecorded['lost'] ?? 0, active };
}
