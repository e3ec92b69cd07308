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
  EMSGSIZE,
  ENOBUFS,
  IORING_CQE_BUFFER_SHIFT,
  IORING_CQE_F_BUFFER,
  IORING_CQE_F_MORE,
} from './abi.ts';
import { BufferPool } from './buffers.ts';
import { BYTES_IN, BYTES_OUT, DROP, PACKETS_IN, PACKETS_OUT } from './counters.ts';
import { Flows, HEADER_BYTES } from './flows.ts';
import { OP, receive, receiveMessages, sendDatagram } from './operations.ts';
import type { Relay } from './relay.ts';
import type { Ring } from './ring.ts';
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

  constructor(ring: Ring, sessions: number, descriptors: SharedArrayBuffer) {
    const buffers = BufferPool.create(ring, UDP_BUFFERS);
    const message = mapPages(MSGHDR_BYTES);
    if (typeof buffers === 'number' || typeof message === 'number') throw new Error('no memory for datagrams');
    this.flows = new Flows(sessions, descriptors);
    this.buffers = buffers;
    this.words = new Int32Array(buffers.memory.buffer);
    this.message = message;
    new Int32Array(message.buffer)[NAMELEN_WORD] = NAME_ROOM;
  }

  release(): void {
    this.buffers.release();
    this.flows.release();
    unmap(this.message);
  }
}

/** Arms the receive of a bound socket. */
export function listenUdp(r: Relay, entry: Entry): void {
  const udp = r.udp!;
  entry.posted = 1;
  receiveMessages(r.ring, entry.fd, udp.buffers.group, udp.message.address, OP.UDP_CLIENT, entry.index, 0);
}

/** Arms the receive of a session's socket. */
export function listenOrigin(r: Relay, flow: number): void {
  const { flows, buffers } = r.udp!;
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
  flows.seenAt[flow] = r.now;
  flows.bytes[2 * flow]! += size;
  row[BYTES_IN]! += size;
  row[PACKETS_IN]! += 1;
  buffers.start[buffer] = from;
  buffers.length[buffer] = size + header;
  toOrigin(r, flow, buffer, OP.UDP_SEND);
  return true;
}

function toOrigin(r: Relay, flow: number, buffer: number, op: number): void {
  const { buffers, flows } = r.udp!;
  const address = buffers.address + buffers.start[buffer]!;
  const length = buffers.length[buffer]!;
  sendDatagram(r.ring, flows.fd[flow]!, address, length, 0, 0, op, flow, flows.generation[flow]!, buffer);
}

/** A datagram to an origin has left, or has not; `again`: it was its second chance. */
export function sentToOrigin(
  r: Relay,
  flow: number,
  generation: number,
  buffer: number,
  result: number,
  again: boolean,
): void {
  const { buffers, flows } = r.udp!;
  const alive = flows.generation[flow] === generation && flows.open[flow] === 1;
  if (result >= 0 || !alive) return buffers.give(buffer);
  // An error of the datagram before, told at this one: it has not been sent.
  if (result === -ECONNREFUSED && !again && !refused(r, flow)) return toOrigin(r, flow, buffer, OP.UDP_SEND_AGAIN);
  const { row } = r.rules.entry(flows.entry[flow]!).rule;
  if (flows.open[flow] === 1) row[result === -EMSGSIZE ? DROP.oversize : DROP.queue]! += 1;
  buffers.give(buffer);
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
  flows.seenAt[flow] = r.now;
  if (size < cut) {
    row[DROP.short]! += 1;
    return false;
  }
  if (entry.closing) return false;
  flows.bytes[2 * flow + 1]! += size - cut;
  row[BYTES_OUT]! += size - cut;
  row[PACKETS_OUT]! += 1;
  const name = flows.nameOffset(flow);
  const nameSize = sizeOfFamily(familyAt(flows.names, name));
  const from = buffers.address + (buffer < 0 ? 0 : buffers.start[buffer]! + cut);
  const token = buffer < 0 ? 0 : buffer;
  const op = buffer < 0 ? OP.UDP_EMPTY_REPLY : OP.UDP_REPLY;
  sendDatagram(
    r.ring,
    entry.fd,
    from,
    size - cut,
    flows.namesAddress + name,
    nameSize,
    op,
    flow,
    flows.generation[flow]!,
    token,
  );
  return buffer >= 0;
}

/** A reply has left, or has not. */
export function sentToClient(r: Relay, flow: number, generation: number, buffer: number, result: number): void {
  const { buffers, flows } = r.udp!;
  buffers.give(buffer);
  if (result >= 0 || flows.generation[flow] !== generation || flows.open[flow] === 0) return;
  r.rules.entry(flows.entry[flow]!).rule.row[result === -EMSGSIZE ? DROP.oversize : DROP.queue]! += 1;
}

/** Called before each wait: receives that found no buffer try again. */
export function feedUdp(r: Relay): void {
  const udp = r.udp!;
  udp.buffers.provide();
  if (udp.hungry.length === 0 || udp.buffers.free === 0) return;
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
