/**
 * Datagrams on their way. Each bound socket has one multishot receive that delivers every datagram with its sender; each
 * session has a connected socket of its own (udp-sessions.ts), so that the kernel itself takes replies from that origin
 * alone; a reply leaves by the socket that the client spoke to. What would have to wait is dropped and counted. Nothing in
 * here answers a client but what an origin sent, so a spoofed source gains no more than the origin would have given it.
 */
import { mapPages, unmap } from '../../../lib/ffi/libc.ts';
import type { Slab } from '../../../lib/ffi/libc.ts';
import {
  AF_INET6,
  ECANCELED,
  ECONNREFUSED,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOBUFS,
  IORING_CQE_BUFFER_SHIFT,
  IORING_CQE_F_BUFFER,
  IORING_CQE_F_MORE,
} from './abi.ts';
import { BufferPool } from './buffers.ts';
import { BYTES_IN, BYTES_OUT, DROP, PACKETS_IN, PACKETS_OUT } from './counters.ts';
import { Flows, HEADER_BYTES } from './flows.ts';
import { Gather } from './gather.ts';
import { OP, receive, receiveMessages, sendDatagram, sendMessage } from './operations.ts';
import type { Relay } from './relay.ts';
import type { Entry } from './rules.ts';
import {
  LARGEST_DATAGRAM_V4,
  LARGEST_DATAGRAM_V6,
  MESSAGE_HEAD,
  NAME_ROOM,
  RECVMSG_OUT,
  UDP_BUFFERS,
} from './shape.ts';
import { familyAt, sizeOfFamily } from './sockaddr.ts';
import { openSession, refused } from './udp-sessions.ts';

/** struct msghdr: only its msg_namelen says something. */
const MSGHDR_BYTES = 56;
const NAMELEN_WORD = 2;

/** What the UDP half of a worker has; made with the first UDP rule, because its buffers are many addresses. */
export class Udp {
  readonly flows: Flows;
  readonly buffers: BufferPool;
  /** The buffers' memory as words, in which senders' addresses are compared. */
  readonly words: Int32Array;
  /** Receives that found no buffer: entries as they are, flows as −1 − flow. */
  readonly hungry: number[] = [];
  readonly message: Slab;
  readonly gather: Gather;
  /** Nothing is received: another process is about to. */
  held = false;

  constructor(r: Relay, sessions: number, descriptors: SharedArrayBuffer) {
    const { ring } = r;
    const buffers = BufferPool.create(ring, UDP_BUFFERS);
    const message = mapPages(MSGHDR_BYTES);
    if (typeof buffers === 'number' || typeof message === 'number') throw new Error('no memory for datagrams');
    this.flows = new Flows(sessions, descriptors);
    this.buffers = buffers;
    this.gather = new Gather(ring, buffers, sessions, (k, first, message) => sendChain(r, k, first, message));
    this.words = new Int32Array(buffers.memory.buffer);
    this.message = message;
    new Int32Array(message.buffer)[NAMELEN_WORD] = NAME_ROOM;
  }

  release(): void {
    this.buffers.release();
    this.flows.release();
    this.gather.release();
    unmap(this.message);
  }
}

/** Arms the receive of a bound socket. */
export function listenUdp(r: Relay, entry: Entry): void {
  const udp = r.udp!;
  if (udp.held) return;
  entry.posted = 1;
  receiveMessages(r.ring, entry.fd, udp.buffers.group, udp.message, OP.UDP_CLIENT, entry.index, 0);
}

/** Arms the receive of a session's socket. */
export function listenOrigin(r: Relay, flow: number): void {
  const { flows, buffers, held } = r.udp!;
  if (held) return;
  flows.reading[flow] = 1;
  receive(r.ring, flows.fd[flow]!, buffers.group, false, OP.UDP_ORIGIN, flow, flows.generation[flow]!);
}

/** A datagram for an entry, or the end of its receive. */
export function fromClient(r: Relay, index: number, result: number, cqeFlags: number): void {
  const udp = r.udp!;
  const entry = r.rules.entry(index);
  if ((cqeFlags & IORING_CQE_F_BUFFER) !== 0) {
    const buffer = cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
    udp.buffers.received(buffer, result);
    if (result < MESSAGE_HEAD || entry.closing || !forward(r, entry, buffer, result - MESSAGE_HEAD)) {
      udp.buffers.give(buffer);
    }
  }
  if ((cqeFlags & IORING_CQE_F_MORE) !== 0) return;
  entry.posted = 0;
  if (udp.held && !entry.closing) return;
  if (entry.closing || result === -ECANCELED) r.entryIdle(entry);
  else if (result === -ENOBUFS && !udp.buffers.starved()) {
    entry.rule.row[DROP['wait-buffers']]! += 1;
    udp.hungry.push(index);
  } else listenUdp(r, entry);
}

/** False: dropped and counted, the buffer is free. */
function forward(r: Relay, entry: Entry, buffer: number, size: number): boolean {
  const { buffers, flows, words } = r.udp!;
  const { row } = entry.rule;
  const start = buffers.start[buffer]!;
  const name = start + RECVMSG_OUT;
  let flow = flows.find(entry.index, words, name >> 2);
  if (flow < 0) {
    flow = openSession(r, entry, name, size);
    if (flow < 0) return false;
  }
  const header = flows.headerSize[flow]!;
  const largest = flows.originFamily[flow] === AF_INET6 ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4;
  if (size + header > largest) {
    row[DROP.oversize]! += 1;
    return false;
  }
  // order: the sender's address has been read; the header may take its place, right in front of the payload.
  const from = start + MESSAGE_HEAD - header;
  for (let i = 0; i < header; i++) buffers.memory[from + i] = flows.headers[flow * HEADER_BYTES + i]!;
  // wire: only SPP heads every datagram; PPV2 heads the first one of a session (spec 16.2, 16.3).
  if (entry.rule.pass.carrier === 'start') flows.headerSize[flow] = 0;
  flows.seniority.heard(flow, r.now);
  flows.bytes[2 * flow]! += size;
  row[BYTES_IN]! += size;
  row[PACKETS_IN]! += 1;
  buffers.start[buffer] = from;
  buffers.length[buffer] = size + header;
  r.udp!.gather.add(2 * flow, buffer);
  return true;
}

/** Direction k's chain goes now: to the origin by the session's socket, back by the one that the client spoke to. */
function sendChain(r: Relay, k: number, first: number, message: number): void {
  const { gather, flows } = r.udp!;
  if (message < 0) return sendOne(r, k, first, false);
  const flow = k >> 1;
  const toClient = (k & 1) === 1;
  const name = flows.nameOffset(flow);
  if (toClient) gather.to(message, flows.nameSlab, name, sizeOfFamily(familyAt(flows.names, name)));
  sendMessage(r.ring, socketOf(r, k), gather.slab, message, OP.UDP_SEND, k, flows.generation[flow]!, first);
}

function sendOne(r: Relay, k: number, buffer: number, again: boolean): void {
  const { buffers, flows } = r.udp!;
  const flow = k >> 1;
  const name = flows.nameOffset(flow);
  const nameSize = (k & 1) === 1 ? sizeOfFamily(familyAt(flows.names, name)) : 0;
  const op = again ? OP.UDP_SEND_AGAIN : OP.UDP_SEND;
  const length = buffers.length[buffer]!;
  const generation = flows.generation[flow]!;
  sendDatagram(
    r.ring,
    socketOf(r, k),
    buffers.slab,
    buffers.start[buffer]!,
    length,
    flows.nameSlab,
    name,
    nameSize,
    op,
    k,
    generation,
    buffer,
  );
}

function socketOf(r: Relay, k: number): number {
  const { flows } = r.udp!;
  return (k & 1) === 1 ? r.rules.entry(flows.entry[k >> 1]!).fd : flows.fd[k >> 1]!;
}

/** The chain of direction k that begins with `first` has left, or has not; `again`: it was its second chance. */
export function sentDatagrams(
  r: Relay,
  k: number,
  generation: number,
  first: number,
  result: number,
  again: boolean,
): void {
  const { buffers, flows, gather } = r.udp!;
  const flow = k >> 1;
  const alive = flows.generation[flow] === generation && flows.open[flow] === 1;
  if (result >= 0 || !alive) return buffers.giveChain(first);
  const segments = buffers.next[first]! >= 0;
  const refusedSegments = segments && (result === -EINVAL || result === -EMSGSIZE || result === -EIO);
  if (refusedSegments) gather.refused(k);
  // An error of the datagram before, told at this one: it has not been sent.
  const late = result === -ECONNREFUSED && !again && (k & 1) === 0;
  if (refusedSegments || (late && !refused(r, flow))) return sendEach(r, k, first);
  if (!late) {
    const { row } = r.rules.entry(flows.entry[flow]!).rule;
    for (let b = first; b >= 0; b = buffers.next[b]!) row[result === -EMSGSIZE ? DROP.oversize : DROP.queue]! += 1;
  }
  buffers.giveChain(first);
}

function sendEach(r: Relay, k: number, first: number): void {
  const { buffers } = r.udp!;
  for (let buffer = first; buffer >= 0;) {
    const next = buffers.next[buffer]!;
    buffers.next[buffer] = -1;
    sendOne(r, k, buffer, true);
    buffer = next;
  }
}

/** A reply for a session, or the end of its receive. */
export function fromOrigin(r: Relay, flow: number, generation: number, result: number, cqeFlags: number): void {
  const udp = r.udp!;
  const { flows, buffers } = udp;
  const buffer = (cqeFlags & IORING_CQE_F_BUFFER) === 0 ? -1 : cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
  if (buffer >= 0) buffers.received(buffer, result);
  const alive = flows.generation[flow] === generation && flows.open[flow] === 1;
  // not: a datagram without a buffer is not lost; it is empty, and an empty one needs none.
  if (!alive || result < 0 || !back(r, flow, buffer, result)) {
    if (buffer >= 0) buffers.give(buffer);
  }
  if (!alive || (cqeFlags & IORING_CQE_F_MORE) !== 0) return;
  flows.reading[flow] = 0;
  if (result === -ECANCELED) return;
  if (result === -ECONNREFUSED && refused(r, flow)) return;
  if (result === -ENOBUFS && !buffers.starved()) {
    r.rules.entry(flows.entry[flow]!).rule.row[DROP['wait-buffers']]! += 1;
    udp.hungry.push(-1 - flow);
  } else listenOrigin(r, flow);
}

/** False: dropped and counted, or sent without the buffer. */
function back(r: Relay, flow: number, buffer: number, size: number): boolean {
  const { buffers, flows } = r.udp!;
  const entry = r.rules.entry(flows.entry[flow]!);
  const { row, pass } = entry.rule;
  const cut = pass.replyHeader;
  flows.seniority.answered(flow, r.now);
  if (size < cut) {
    row[DROP.short]! += 1;
    return false;
  }
  if (entry.closing) return false;
  flows.bytes[2 * flow + 1]! += size - cut;
  row[BYTES_OUT]! += size - cut;
  row[PACKETS_OUT]! += 1;
  if (buffer >= 0) {
    buffers.start[buffer]! += cut;
    buffers.length[buffer] = size - cut;
    r.udp!.gather.add(2 * flow + 1, buffer);
    return true;
  }
  // An empty datagram came without a buffer, and needs none.
  r.udp!.gather.flush(2 * flow + 1);
  const name = flows.nameOffset(flow);
  const nameSize = sizeOfFamily(familyAt(flows.names, name));
  const generation = flows.generation[flow]!;
  const { nameSlab } = flows;
  sendDatagram(r.ring, entry.fd, nameSlab, name, 0, nameSlab, name, nameSize, OP.IGNORE, 0, generation, 0);
  return false;
}

/** Called before each wait: what was gathered goes, receives that found no buffer try again. */
export function feedUdp(r: Relay): void {
  const udp = r.udp!;
  udp.gather.flushAll();
  udp.buffers.provide();
  if (udp.hungry.length === 0 || udp.buffers.free === 0 || udp.held) return;
  for (const who of udp.hungry.splice(0)) {
    if (who < 0) {
      const flow = -1 - who;
      if (udp.flows.open[flow] === 1 && udp.flows.reading[flow] === 0) listenOrigin(r, flow);
    } else {
      const entry = r.rules.entry(who);
      if (entry.posted === 0 && !entry.closing) listenUdp(r, entry);
    }
  }
}
