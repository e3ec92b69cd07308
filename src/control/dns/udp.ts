/**
 * DNS over UDP: one socket, each datagram answered by itself. Bounded in questions under way and, per network, in answers.
 * Called by server.ts.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { BUDGETS } from '../../config/budgets.ts';
import { writeReply, writeTruncated } from './reply.ts';
import type { ResponseLimit } from './limit.ts';
import { respond } from './respond.ts';
import type { Serving } from './server.ts';
import { addressNetwork } from './subnet.ts';
import { rcodeName } from './words.ts';

const UNDER_WAY = BUDGETS['dns-udp-questions'].most;

/** `fd`: it is bound already. */
export async function bindUdp(host: string, port: number, fd?: number): Promise<Socket> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
  // order: a socket that is bound already says so at once.
  const listening = once(socket, 'listening');
  socket.bind(fd === undefined ? { port, address: host } : { fd });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

export function serveUdp(socket: Socket, serving: Serving, limit: ResponseLimit): void {
  const { world, log, metrics } = serving;
  let underWay = 0;

  function drop(reason: string): void {
    metrics.add('edgefour_dns_dropped_total', { reason });
  }
  async function take(bytes: Buffer, from: RemoteInfo): Promise<void> {
    const exchange = await respond(bytes, from.address, world, log);
    if (exchange === undefined) return drop('not-a-query');
    const { query, reply } = exchange;
    const verdict = limit.judge(addressNetwork(from.address));
    if (verdict === 'drop') return drop('rate');
    const out = verdict === 'truncate' ? writeTruncated(query, reply) : writeReply(query, reply, 'udp');
    metrics.add('edgefour_dns_answers_total', { transport: 'udp', rcode: rcodeName(reply.rcode) });
    // not: caring whether it went out; the asker repeats itself.
    socket.send(out, from.port, from.address, () => {});
  }
  socket.on('error', (error) => log.warn('the DNS socket failed', { error: String(error) }));
  socket.on('message', (bytes, from) => {
    if (underWay >= UNDER_WAY) return drop('busy');
    underWay += 1;
    void take(bytes, from).finally(() => {
      underWay -= 1;
    });
  });
}
