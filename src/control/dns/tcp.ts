/**
 * DNS over TCP (RFC 7766): questions may be pipelined; they are answered one after the other, so a client that doesn't
 * read is not read from either. Bounded in connections, in connections per network and in time; where they are too many the
 * one that has been idle longest goes. Called by server.ts.
 */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { BUDGETS } from '../../config/budgets.ts';
import type { Timer } from '../../lib/clock.ts';
import { writeReply } from './reply.ts';
import { respond, type Serving } from './respond.ts';
import { type Bound, Seats } from './seats.ts';
import { addressNetwork } from './subnet.ts';
import { rcodeName } from './codes.ts';

/** limit: milliseconds from one complete question to the next; RFC 7766 §6.2.3 asks for "a few seconds". */
const PATIENCE = 10_000;
/** limit: bytes of a question: one name and a few options. Longer ones end the connection. */
const QUESTION = 4096;

/** `fd`: it is bound already. */
export async function bindTcp(host: string, port: number, fd?: number): Promise<Server> {
  // The asker may close its side after the last question; the answers still go out.
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.listen(fd === undefined ? { port, host } : { fd });
  await once(server, 'listening');
  return server;
}

/** Gives those that wait for an answer or have not asked yet, as they come and go. */
export function serveTcp(server: Server, serving: Serving): ReadonlySet<Socket> {
  const asking = new Set<Socket>();
  const bounds = {
    most: BUDGETS['dns-tcp-connections'].most,
    perNetwork: BUDGETS['dns-tcp-connections-per-network'].most,
  };
  const seats = new Seats(bounds, (bound) =>
    serving.metrics.add('edgefour_dns_dropped_total', { reason: REASON[bound] }),
  );
  server.on('error', (error) => serving.log.warn('the DNS listener failed', { error: String(error) }));
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    const seat = seats.take({ network: addressNetwork(socket.remoteAddress ?? ''), end: () => socket.destroy() });
    if (!seat) return socket.destroy();
    asking.add(socket);
    socket.on('close', () => {
      seats.leave(seat);
      asking.delete(socket);
    });
    return void converse(socket, serving, (isBusy) => {
      if (isBusy) {
        seats.busy(seat);
        asking.add(socket);
      } else {
        seats.idle(seat);
        asking.delete(socket);
      }
    });
  });
  return asking;
}

const REASON: Readonly<Record<Bound, string>> = { most: 'connections', perNetwork: 'connections-of-network' };

/** `turn`: a question is being answered, or is no longer. */
async function converse(socket: Socket, serving: Serving, turn: (isBusy: boolean) => void): Promise<void> {
  let timer: Timer | undefined;
  function patience(): void {
    timer?.cancel();
    timer = serving.clock.after(PATIENCE, () => socket.destroy());
  }
  patience();
  try {
    for await (const message of messages(socket)) {
      turn(true);
      const exchange = await respond(message, socket.remoteAddress ?? '', serving.world, serving.log);
      if (exchange === undefined) return;
      const out = writeReply(exchange.query, exchange.reply, 'tcp');
      serving.metrics.add('edgefour_dns_answers_total', { transport: 'tcp', rcode: rcodeName(exchange.reply.rcode) });
      if (!socket.write(Buffer.concat([lengthOf(out), out]))) await once(socket, 'drain');
      turn(false);
      patience();
    }
    socket.end();
    await once(socket, 'close');
  } catch {
    // A connection that breaks has no asker left to tell.
  } finally {
    timer?.cancel();
    socket.destroy();
  }
}

/** Splits the stream at its two-byte lengths; ends early at one that no question has. */
async function* messages(socket: Socket): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  // order: the socket outlives its readable side; the last answers still have to go out.
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    while (held.length >= 2) {
      const length = held.readUInt16BE(0);
      if (length > QUESTION) return;
      if (held.length < 2 + length) break;
      yield held.subarray(2, 2 + length);
      held = held.subarray(2 + length);
    }
  }
}

function lengthOf(message: Buffer): Buffer {
  return Buffer.from([message.length >> 8, message.length & 0xff]);
}
