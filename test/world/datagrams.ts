/**
 * UDP clients across a change: steady ones that go on with one socket, and new ones with a socket for each datagram. Each
 * waits for its answer before it says more, so that what waits while sockets change hands is bounded, however long it
 * takes. The origin says from which port it hears each, so that it is known whether a session stayed the same.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { loopback } from '../suites/engine/fixture.ts';

interface PortTeller extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** An origin whose answer is `PORT TEXT`. */
export async function portTeller(): Promise<PortTeller> {
  const socket = createSocket('udp4', (text, from) =>
    socket.send(`${from.port} ${text.toString()}`, from.port, from.address),
  );
  const address = loopback();
  await once(socket.bind(0, address), 'listening');
  return {
    address,
    port: socket.address().port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => void socket.close(() => resolve())),
  };
}

interface Outcome {
  readonly steady: {
    readonly clients: number;
    readonly sent: number;
    readonly lost: number;
    readonly twice: number;
    readonly portChanges: number;
  };
  readonly fresh: { readonly sent: number; readonly lost: number };
}

/** Disposing stops them: a test that failed leaves nothing running. */
interface Datagrams extends AsyncDisposable {
  /** No more; resolves when answers have had their time. */
  stop(): Promise<Outcome>;
}

// limit: what comes while sockets change hands comes to the origin at once, and must fit its receive buffer (208 KiB).
const STEADY = 20;
const MOST_FRESH = 100;
const STEADY_EVERY_MS = 100;
const FRESH_EVERY_MS = 20;
/** limit: an answer that is not there by then is lost, also on a busy machine. */
const PATIENCE_MS = 20_000;

export function datagrams(address: string, port: number): Datagrams {
  const steady = Array.from({ length: STEADY }, () => steadyClient(address, port));
  const waiting = new Map<Socket, () => void>();
  const fresh = { sent: 0, lost: 0 };
  const timers = [
    clock.every(STEADY_EVERY_MS, () => steady.forEach((client) => client.say())),
    clock.every(FRESH_EVERY_MS, () => {
      if (waiting.size >= MOST_FRESH) return;
      const socket = createSocket('udp4');
      fresh.sent++;
      const patience = clock.after(PATIENCE_MS, () => {
        fresh.lost++;
        over();
      });
      function over(): void {
        patience.cancel();
        waiting.delete(socket);
        socket.close();
      }
      waiting.set(socket, over);
      socket.on('message', over);
      socket.send('new', port, address);
    }),
  ];
  async function end(): Promise<Outcome> {
    for (const timer of timers) timer.cancel();
    const last = clock.monotonic() + PATIENCE_MS + 1_000;
    const isQuiet = (): boolean => waiting.size === 0 && steady.every((client) => client.outcome().lost === 0);
    while (!isQuiet() && clock.monotonic() < last) await clock.sleep(20);
    const ends = steady.map((client) => client.close());
    const sum = (name: 'sent' | 'lost' | 'twice' | 'portChanges'): number =>
      ends.reduce((total, one) => total + one[name], 0);
    return {
      steady: {
        clients: STEADY,
        sent: sum('sent'),
        lost: sum('lost'),
        twice: sum('twice'),
        portChanges: sum('portChanges'),
      },
      fresh,
    };
  }
  let outcome: Promise<Outcome> | undefined;
  const stop = (): Promise<Outcome> => (outcome ??= end());
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

function steadyClient(address: string, port: number) {
  const socket = createSocket('udp4');
  const heard = new Set<string>();
  let sent = 0;
  let twice = 0;
  let portChanges = 0;
  let lastPort = '';
  let saidAt = 0;
  socket.on('message', (text) => {
    const [from = '', number = ''] = text.toString().split(' ');
    if (lastPort !== '' && from !== lastPort) portChanges++;
    lastPort = from;
    if (heard.has(number)) twice++;
    heard.add(number);
  });
  const outcome = () => ({ sent, lost: sent - heard.size, twice, portChanges });
  return {
    say() {
      const now = clock.monotonic();
      if (sent > 0 && !heard.has(`${sent - 1}`) && now - saidAt < PATIENCE_MS) return;
      saidAt = now;
      socket.send(`${sent++}`, port, address);
    },
    outcome,
    close() {
      socket.close();
      return outcome();
    },
  };
}
