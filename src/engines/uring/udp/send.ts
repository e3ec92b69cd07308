/**
 * Datagrams on their way out. They wait in chains (gso.ts) until the ring is about to wait, then each chain goes as one
 * message: to the origin by the session's socket, back by the one that the client spoke to. udp.ts deals with the
 * completions. It refuses to keep a datagram for which there is no room: a full socket drops, and the loss is counted.
 */
import { detach } from '../ring/buffers.ts';
import { OP, cancel, sendDatagram, sendMessage } from '../ring/operations.ts';
import { familyAt, sizeOfFamily } from '../../../linux/sockaddr.ts';
import { DROP } from '../worker/counters.ts';
import type { Rules } from '../worker/rules.ts';
import { takeApart } from './datagrams.ts';
import type { GsoMessages } from './gso-messages.ts';
import type { GsoChains } from './gso.ts';
import { RUNS_OF_STREAM } from './receive.ts';
import type { Receiving } from './receive.ts';

/** limit: so many replies of one size that wait for one batch are a run. */
const RUN = 16;

export interface Sending extends Receiving {
  readonly rules: Rules;
  readonly gso: GsoChains;
  readonly gsoMessages: GsoMessages;
}

/** The datagram or burst goes by direction k, behind those that wait there. */
export function enqueue(u: Sending, k: number, buffer: number): void {
  const segment = u.datagrams.segment[buffer]!;
  if (u.gso.join(k, buffer, segment)) return;
  flush(u, k);
  u.gso.start(k, buffer, segment);
}

/** All chains go. */
export function flushAll(u: Sending): void {
  for (let k = u.gso.nextWaiting(); k >= 0; k = u.gso.nextWaiting()) flush(u, k);
}

/** Direction k's chain goes. */
function flush(u: Sending, k: number): void {
  const first = u.gso.take(k);
  if (first < 0) return;
  if (u.gso.count(k) === 1) sendOne(u, k, first, OP.UDP_SEND);
  else sendChain(u, k, first);
}

function sendChain(u: Sending, k: number, first: number): void {
  const { gso, gsoMessages, flows } = u;
  const flow = k >> 1;
  const generation = flows.generation[flow]!;
  const message = gsoMessages.describe(first, gso.segment(k));
  if ((k & 1) === 1) {
    const { names, sockets } = flows;
    const name = names.offset(flow);
    const isRun = gso.count(k) >= RUN && sockets.runs[flow]! < RUNS_OF_STREAM;
    if (isRun && ++sockets.runs[flow]! === RUNS_OF_STREAM) cancel(u.ring, OP.UDP_ORIGIN, flow, generation, 0);
    gsoMessages.to(message, names.slab, name, sizeOfFamily(familyAt(names.bytes, name)));
  }
  sendMessage(u.ring, socketOf(u, k), gsoMessages.slab, message, OP.UDP_SEND, k, generation, first);
}

/** Sends one datagram by direction k; `op` is what its completion says. */
function sendOne(u: Sending, k: number, buffer: number, op: typeof OP.UDP_SEND | typeof OP.UDP_SEND_AGAIN): void {
  const { flows } = u;
  const { buffers } = u.datagrams;
  const flow = k >> 1;
  const { names } = flows;
  const name = names.offset(flow);
  const nameSize = (k & 1) === 1 ? sizeOfFamily(familyAt(names.bytes, name)) : 0;
  sendDatagram(
    u.ring,
    socketOf(u, k),
    buffers.slab,
    buffers.start[buffer]!,
    buffers.length[buffer]!,
    names.slab,
    name,
    nameSize,
    op,
    k,
    flows.generation[flow]!,
    buffer,
  );
}

function socketOf({ rules, flows }: Sending, k: number): number {
  return (k & 1) === 1 ? rules.entry(flows.entry[k >> 1]!).fd : flows.sockets.fd[k >> 1]!;
}

/** A session's client gets an empty datagram, behind those that wait for it. */
export function sendEmptyReply(u: Sending, flow: number, fd: number): void {
  const { names } = u.flows;
  flush(u, 2 * flow + 1);
  const name = names.offset(flow);
  const nameSize = sizeOfFamily(familyAt(names.bytes, name));
  sendDatagram(u.ring, fd, names.slab, name, 0, names.slab, name, nameSize, OP.IGNORE, 0, u.flows.generation[flow]!, 0);
}

/** A chain that could not leave as one: its datagrams go once more, each by itself. */
export function sendEach(u: Sending, k: number, first: number): void {
  const { buffers, segment } = u.datagrams;
  for (let buffer = first; buffer >= 0;) {
    const next = detach(buffers, buffer);
    if (segment[buffer]! > 0) split(u, k, buffer);
    for (let part = buffer; part >= 0;) {
      const other = detach(buffers, part);
      sendOne(u, k, part, OP.UDP_SEND_AGAIN);
      part = other;
    }
    buffer = next;
  }
}

/** Makes a burst of direction k a chain of its datagrams, of which those that find no buffer are dropped and counted. */
export function split({ rules, flows, datagrams }: Sending, k: number, buffer: number): void {
  const { buffers, segment } = datagrams;
  const lost = takeApart(buffers, buffer, segment[buffer]!);
  rules.entry(flows.entry[k >> 1]!).rule.row[DROP.queue]! += lost;
  for (let part = buffer; part >= 0; part = buffers.next[part]!) segment[part] = 0;
}
