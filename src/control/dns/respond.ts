/**
 * One question to one reply: read, screen, look up, answer. The order is the server's documentation. Never rejects: a
 * store that fails is SERVFAIL. Called by udp.ts and tcp.ts.
 */
import type { Buffer } from 'node:buffer';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { answer, below, refusal } from './answer.ts';
import { type Query, readQuery } from './query.ts';
import type { Reply } from './reply.ts';
import { networkOf } from './subnet.ts';
import { RCODE } from './codes.ts';
import type { DnsWorld } from './world.ts';

/** What all sockets of the name server share. */
export interface Serving {
  readonly world: DnsWorld;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

interface Exchange {
  readonly query: Query;
  readonly reply: Reply;
}

/** `asker` is the address the bytes came from. Undefined: these bytes get no answer. */
export async function respond(bytes: Buffer, asker: string, world: DnsWorld, log: Log): Promise<Exchange | undefined> {
  const query = readQuery(bytes);
  return query && { query, reply: await reply(query, asker, world, log) };
}

async function reply(query: Query, asker: string, world: DnsWorld, log: Log): Promise<Reply> {
  if (query.problem !== undefined) return refusal(query.problem);
  const labels = below(query.labels, world.domain);
  if (labels === undefined) return refusal(RCODE.REFUSED);
  try {
    const { node, serial } = await world.lookup(labels, networkOf(asker, query.edns?.subnet));
    return answer(query, node, { domain: world.domain, serial });
  } catch (error) {
    log.error('a DNS question could not be looked up', { error: String(error) });
    return refusal(RCODE.SERVFAIL);
  }
}
