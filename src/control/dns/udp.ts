/**
 * DNS over UDP: each datagram answered by itself, from the socket that it came to. Bounded in questions under way, those of all
 * sockets together, and, per network, in answers. Called by server.ts; udp-sockets.ts has the sockets.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { BUDGETS } from '../../config/budgets.ts';
import { writeReply, writeTruncated } from './reply.ts';
import type { ResponseLimit } from './limit.ts';
import { respond, type Serving } from './respond.ts';
import { addressNetwork } from './subnet.ts';
import { rcodeName } from './codes.ts';

const UNDER_WAY = BUDGETS['dns-udp-questions'].most;

/** Gives the function that serves a socket. */
export function udpAnswers(serving: Serving, limit: ResponseLimit): (socket: Socket) => void {
  const { world, log, metrics } = serving;
  let underWay = 0;

  function drop(reason: string): void {
    metrics.add('edgefour_dns_dropped_total', { reason });
  }
  async function take(bytes: Buffer, from: RemoteInfo, send: (out: Buffer) => void): Promise<void> {
    const exchange = await respond(bytes, from.address, world, log);
    if (exchange === undefined) return drop('not-a-query');
    const { query, reply } = exchange;
    const verdict = limit.judge(addressNetwork(from.address));
    if (verdict === 'drop') return drop('rate');
    if (verdict === 'unknown') metrics.add('edgefour_budget_refusals_total', { budget: 'dns-udp-networks' });
    const out = verdict === 'answer' ? writeReply(query, reply, 'udp') : writeTruncated(query, reply);
    metrics.add('edgefour_dns_answers_total', { transport: 'udp', rcode: rcodeName(reply.rcode) });
    send(out);
  }
  return (socket) => {
    let isOpen = true;
    socket.on('close', () => (isOpen = false));
    socket.on('error', (error) => log.warn('the DNS socket failed', { error: String(error) }));
    socket.on('message', (bytes, from) => {
      if (underWay >= UNDER_WAY) return drop('busy');
      underWay += 1;
      void take(bytes, from, (out) => {
        // not: caring whether it went out; the asker repeats itself.
        if (isOpen) socket.send(out, from.port, from.address, () => {});
      }).finally(() => {
        underWay -= 1;
      });
    });
  };
}
