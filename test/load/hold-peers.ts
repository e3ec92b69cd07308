/**
 * Both ends of many idle connections, in a process of its own because they need as many descriptors as the edge: origins
 * that send back what they get, and clients that say nothing until they are told to. Started by hold.ts with addresses in
 * argv. Prints `up PORT` once the origins listen; then takes lines: `open COUNT ADDRESS:PORT…` and `ask`. Each is answered
 * with a line of JSON: see Pairs.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { ask, echo, repeat } from '../suites/engine/tcp-peers.ts';

export interface Pairs {
  readonly open: number;
  /** Connections that ended, seen from clients and from origins; nobody ends one here. */
  readonly closed: number;
  /** To the last `ask`. */
  readonly answered: number;
}

const SOURCES = 100;
const pairs = { open: 0, closed: 0, answered: 0 };
const clients: Socket[] = [];

function watch(socket: Socket): Socket {
  return socket.on('error', () => {}).once('close', () => pairs.closed++);
}

async function open(count: number, entries: readonly string[]): Promise<void> {
  await repeat(count, 100, async (i) => {
    const [host = '', port] = (entries[i % entries.length] ?? '').split(':');
    // Of many sources: the last descriptors are not for one that holds most of them.
    const localAddress = `127.0.20.${i % SOURCES}`;
    const client = watch(connect({ host, port: Number(port), localAddress, noDelay: true }));
    await once(client, 'connect');
    // Through to the origin: before that there is no pair.
    await ask(client, `${i}`);
    clients.push(client);
    pairs.open++;
  });
}

async function askAll(): Promise<void> {
  pairs.answered = 0;
  await repeat(clients.length, 100, async (i) => {
    const question = `still there ${i}`;
    const client = clients[i];
    if (client && !client.destroyed && (await ask(client, question)) === question) pairs.answered++;
  });
}

let shared = 0;
for (const address of process.argv.slice(2)) {
  const server = createServer({ noDelay: true }, (socket) => echo(watch(socket)));
  await once(server.listen(shared, address, 4096), 'listening');
  shared = (server.address() as AddressInfo).port;
}
process.stdout.write(`up ${shared}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  const [order, count, ...entries] = line.split(' ');
  if (order === 'open') await open(Number(count), entries);
  else if (order === 'ask') await askAll();
  process.stdout.write(`${JSON.stringify(pairs satisfies Pairs)}\n`);
}
process.exit(0);
