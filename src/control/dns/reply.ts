/**
 * Turns a decided reply into bytes. The question goes back exactly as it came; an answer that would not fit, or would be
 * ten times what was asked, becomes a truncated one that sends the asker to TCP. Pure; no untrusted bytes but the question
 * reach dns-packet's encoder. Called by respond.ts.
 */
import { Buffer } from 'node:buffer';
import { type Answer, encode } from 'dns-packet';
import type { Query } from './query.ts';
import type { Subnet } from './subnet.ts';

export interface Reply {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  /** How many bits of the client subnet decided the answer. */
  readonly scope: number;
}

export type Transport = 'udp' | 'tcp';

/** limit: what passes every path unfragmented (DNS flag day 2020). */
const PAYLOAD = 1232;
/** limit: of a datagram to an asker without EDNS, RFC 1035 §4.2.1. */
const PLAIN = 512;
/** limit: an abuser gains no more by this server than by sending the packets ten times without it. */
const GAIN = 10;

const FLAG = { authoritative: 0x0400, truncated: 0x0200, recursionDesired: 0x0100 };
const DO = 0x8000;

export function writeReply(query: Query, reply: Reply, transport: Transport): Buffer {
  const whole = write(query, reply, 0);
  return whole.length <= room(query, transport) ? whole : writeTruncated(query, reply);
}

/** An empty reply that says: ask again over TCP. */
export function writeTruncated(query: Query, reply: Reply): Buffer {
  return write(query, { ...reply, answers: [], authorities: [], scope: 0 }, FLAG.truncated);
}

function room(query: Query, transport: Transport): number {
  if (transport === 'tcp') return 0xffff;
  const fits = query.edns === undefined ? PLAIN : Math.min(Math.max(query.edns.payload, PLAIN), PAYLOAD);
  return Math.min(fits, GAIN * query.size);
}

function write(query: Query, reply: Reply, truncated: number): Buffer {
  const flags =
    (query.opcode << 11) |
    (reply.authoritative ? FLAG.authoritative : 0) |
    truncated |
    (query.recursionDesired ? FLAG.recursionDesired : 0) |
    (reply.rcode & 0xf);
  const rest = encode({
    type: 'response',
    id: query.id,
    flags,
    answers: [...reply.answers],
    authorities: [...reply.authorities],
    additionals: query.edns === undefined ? [] : [opt(query, reply)],
  });
  if (query.question.length === 0) return rest;
  // The encoder writes no compression pointers, so the question can be put in afterwards.
  const whole = Buffer.concat([rest.subarray(0, 12), query.question, rest.subarray(12)]);
  whole.writeUInt16BE(1, 4);
  return whole;
}

function opt(query: Query, reply: Reply): Answer {
  const subnet = query.edns?.subnet;
  const dnssecOk = query.edns?.dnssecOk === true;
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: PAYLOAD,
    extendedRcode: reply.rcode >> 4,
    ednsVersion: 0,
    flags: dnssecOk ? DO : 0,
    flag_do: dnssecOk,
    options: subnet === undefined ? [] : [{ code: 8, ip: undefined, data: subnetData(subnet, reply.scope) }],
  };
}

function subnetData(subnet: Subnet, scope: number): Buffer {
  return Buffer.concat([Buffer.from([0, subnet.family, subnet.source, scope]), subnet.address]);
}
