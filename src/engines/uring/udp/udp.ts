/**
 * Datagrams on their way. Each bound socket has one multishot receive that delivers every datagram with its sender; each
 * session has a connected socket of its own (udp-sessions.ts), so that the kernel itself takes replies from that origin
 * alone; a reply leaves by the socket that the client spoke to. What would have to wait is dropped and counted. Nothing in
 * here answers a client but what an origin sent, so a spoofed source gains no more than the origin would have given it.
 */
import { LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6 } from '../../flow/behaviour.ts';
import {
  AF_INET6,
  ECANCELED,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
} from '../../../linux/abi.ts';
import { mapPages, unmap } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { IORING_CQE_BUFFER_SHIFT, IORING_CQE_F_BUFFER, IORING_CQE_F_MORE } from '../ring/abi.ts';
import { BufferPool } from '../ring/buffers.ts';
import { datagramsOf, segmentOf, takeApart, takeBursts } from './burst.ts';
import { BYTES_IN, DROP, PACKETS_IN } from '../worker/counters.ts';
import { failOver, holdFirst } from './fail-over.ts';
import { Flows, HEADER_BYTES } from './flows.ts';
import { Gather } from './gather.ts';
import { Held } from './held.ts';
import { OP, cancelReceive, receive, receiveMessages, sendDatagram, sendMessage } from '../ring/operations.ts';
import type { Relay } from '../tcp/relay.ts';
import { replied } from './replies.ts';
import { headsEach } from '../worker/rule.ts';
import type { Entry } from '../worker/rule.ts';
import { CONTROL_ROOM, MESSAGE_HEAD, NAME_ROOM, RECVMSG_OUT, REPLY_HEAD, UDP_BUFFERS } from '../worker/shape.ts';
import { familyAt, sizeOfFamily } from '../ring/sockaddr.ts';
import { openSession } from './udp-sessions.ts';

/** struct msghdr: only its msg_namelen and msg_controllen say something. One for clients, one for origins. */
const MSGHDR_BYTES = 64;
const NAMELEN_WORD = 2;
const CONTROLLEN_WORD = 10;

/**
 * limit: so many replies of one size that wait for one batch are a run, so many runs a stream of datagrams. From then on the
 * session's replies are received as bursts, which costs a lone reply a sixth more.
 */
const RUN = 16;
const RUNS_OF_STREAM = 4;

/** What the UDP half of a worker has; made with the first UDP rule, because its buffers are many addresses. */
export class Udp {
  readonly flows: Flows;
  readonly buffers: BufferPool;
  /** The buffers' memory as words, in which senders' addresses are compared. */
  readonly words: Int32Array;
  /** Receives that found no buffer: entries as they are, flows as −1 − flow. */
  readonly hungry: number[] = [];
  /** Bytes of each datagram where buffer b holds a burst; 0: it holds one datagram. */
  readonly segment = new Uint16Array(UDP_BUFFERS.count);
  readonly messages: Slab;
  readonly gather: Gather;
  readonly held: Held;
  /** Nothing is received: another process is about to. */
  isPaused = false;

  constructor(r: Relay, sessions: number, descriptors: SharedArrayBuffer) {
    const { ring } = r;
    const buffers = BufferPool.create(ring, UDP_BUFFERS);
    const messages = mapPages(2 * MSGHDR_BYTES);
    if (typeof buffers === 'number' || typeof messages === 'number') throw new Error('no memory for datagrams');
    this.flows = new Flows(sessions, descriptors);
    this.buffers = buffers;
    this.gather = new Gather(ring, buffers, sessions, (k, first, message) => sendChain(r, k, first, message));
    this.held = new Held(buffers, sessions, UDP_BUFFERS.count);
    this.words = new Int32Array(buffers.memory.buffer);
    this.messages = messages;
    const described = new Int32Array(messages.buffer);
    described[NAMELEN_WORD] = NAME_ROOM;
    described[CONTROLLEN_WORD] = described[(MSGHDR_BYTES >> 2) + CONTROLLEN_WORD] = CONTROL_ROOM;
  }

  release(): void {
    this.buffers.release();
    this.flows.release();
    this.gather.release();
    unmap(this.messages);
  }
}

/** Arms the receive of a bound socket. */
export function listenUdp(r: Relay, entry: Entry): void {
  const udp = r.udp!;
  if (udp.isPaused) return;
  entry.posted = 1;
  takeBursts(entry.fd, true);
  receiveMessages(r.ring, entry.fd, udp.buffers.group, udp.messages, 0, OP.UDP_CLIENT, entry.index, 0);
}

/** Arms the receive of a session's socket. */
export function listenOrigin(r: Relay, flow: number): void {
  const { flows, buffers, messages, isPaused } = r.udp!;
  if (isPaused) return;
  const fd = flows.fd[flow]!;
  const generation = flows.generation[flow]!;
  flows.reading[flow] = 1;
  if (flows.runs[flow]! < RUNS_OF_STREAM) {
    receive(r.ring, fd, buffers.group, false, OP.UDP_ORIGIN, flow, generation);
    return;
  }
  takeBursts(fd, true);
  receiveMessages(r.ring, fd, buffers.group, messages, MSGHDR_BYTES, OP.UDP_ORIGIN_BURST, flow, generation);
}

/** A datagram for an entry, or the end of its receive. */
export function fromClient(r: Relay, index: number, result: number, cqeFlags: number): void {
  const udp = r.udp!;
  const entry = r.rules.entry(index);
  if ((cqeFlags & IORING_CQE_F_BUFFER) !== 0) {
    const buffer = cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
    udp.buffers.received(buffer, result);
    if (result < MESSAGE_HEAD || entry.closing) udp.buffers.give(buffer);
    else arrived(r, entry, buffer, result - MESSAGE_HEAD);
  }
  if ((cqeFlags & IORING_CQE_F_MORE) !== 0) return;
  entry.posted = 0;
  if (udp.isPaused && !entry.closing) return;
  if (entry.closing || result === -ECANCELED) r.entryIdle(entry);
  else if (result === -ENOBUFS && !udp.buffers.starved()) {
    entry.rule.row[DROP['wait-buffers']]! += 1;
    udp.hungry.push(index);
  } else listenUdp(r, entry);
}

/** A client's datagram or burst of `size` bytes. */
function arrived(r: Relay, entry: Entry, buffer: number, size: number): void {
  const { buffers, flows, segment, words } = r.udp!;
  const start = buffers.start[buffer]!;
  const name = start + RECVMSG_OUT;
  const each = segmentOf(words, start, NAME_ROOM);
  let flow = flows.find(entry.index, words, name >> 2);
  if (flow < 0) {
    flow = openSession(r, entry, buffers.memory, words, name, each > 0 ? Math.min(each, size) : size);
    if (flow < 0) return buffers.give(buffer);
  }
  // order: the sender's address has been read; a header may take its place, right in front of the payload.
  buffers.start[buffer] = start + MESSAGE_HEAD;
  buffers.length[buffer] = size;
  segment[buffer] = each < size ? each : 0;
  place(r, entry, flow, buffer, false);
}

/** What the client sent is its session's; `again`: it is counted already, with a session whose origin failed. */
export function place(r: Relay, entry: Entry, flow: number, buffer: number, again: boolean): void {
  const { flows, gather, segment } = r.udp!;
  const each = segment[buffer]!;
  if (each === 0 || (flows.headerSize[flow] === 0 && gather.takes(2 * flow, each)))
    return forward(r, entry, flow, buffer, again);
  apart(r, 2 * flow, buffer, (part) => forward(r, entry, flow, part, again));
}

/** Each datagram of a burst by itself, in their order; those that find no buffer are dropped and counted. */
export function apart(r: Relay, k: number, buffer: number, take: (part: number) => void): void {
  const { buffers, flows, segment } = r.udp!;
  const lost = takeApart(buffers, buffer, segment[buffer]!);
  r.rules.entry(flows.entry[k >> 1]!).rule.row[DROP.queue]! += lost;
  for (let part = buffer; part >= 0;) {
    const next = buffers.next[part]!;
    buffers.next[part] = -1;
    segment[part] = 0;
    take(part);
    part = next;
  }
}

/** The datagram in the buffer goes to the origin, or it is dropped and counted; or the burst, which gets no header. */
function forward(r: Relay, entry: Entry, flow: number, buffer: number, again: boolean): void {
  const { buffers, flows, gather, segment } = r.udp!;
  const { row } = entry.rule;
  const size = buffers.length[buffer]!;
  const each = segment[buffer]!;
  const header = flows.headerSize[flow]!;
  const largest = flows.originFamily[flow] === AF_INET6 ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4;
  if (each === 0 && size + header > largest) {
    row[DROP.oversize]! += 1;
    return buffers.give(buffer);
  }
  const from = buffers.start[buffer]! - header;
  for (let i = 0; i < header; i++) buffers.memory[from + i] = flows.headers[flow * HEADER_BYTES + i]!;
  if (!headsEach(entry.rule)) flows.headerSize[flow] = 0;
  flows.seniority.heard(flow, r.now);
  flows.bytes[2 * flow]! += size;
  if (!again) {
    row[BYTES_IN]! += size;
    row[PACKETS_IN]! += datagramsOf(size, each);
  }
  buffers.start[buffer] = from;
  buffers.length[buffer] = size + header;
  gather.add(2 * flow, buffer, each);
}

/** Direction k's chain goes now: to the origin by the session's socket, back by the one that the client spoke to. */
function sendChain(r: Relay, k: number, first: number, message: number): void {
  const { gather, flows } = r.udp!;
  if (message < 0) return sendOne(r, k, first, false);
  const flow = k >> 1;
  const toClient = (k & 1) === 1;
  const name = flows.nameOffset(flow);
  if (
    toClient &&
    gather.count(k) >= RUN &&
    flows.runs[flow]! < RUNS_OF_STREAM &&
    ++flows.runs[flow]! === RUNS_OF_STREAM
  )
    cancelReceive(r.ring, OP.UDP_ORIGIN, flow, flows.generation[flow]!);
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
  const { buffers, flows, gather, segment } = r.udp!;
  const flow = k >> 1;
  const alive = flows.generation[flow] === generation && flows.open[flow] === 1;
  if (result >= 0 && alive && (k & 1) === 0 && holdFirst(r, flow, first)) return;
  if (result >= 0 || !alive) return buffers.giveChain(first);
  const segments = buffers.next[first]! >= 0 || segment[first]! > 0;
  const refusedSegments = segments && (result === -EINVAL || result === -EMSGSIZE || result === -EIO);
  if (refusedSegments) gather.refused(k);
  // An error of the datagram before, told at this one: it has not been sent.
  const late = result === -ECONNREFUSED && !again;
  const isOrigins = (k & 1) === 0 && (late || result === -EHOSTUNREACH || result === -ENETUNREACH);
  if (isOrigins && failOver(r, flow, first)) return;
  if (refusedSegments || (isOrigins && late)) return sendEach(r, k, first);
  const { row } = r.rules.entry(flows.entry[flow]!).rule;
  const reason = result === -EMSGSIZE ? DROP.oversize : DROP.queue;
  for (let b = first; b >= 0; b = buffers.next[b]!) row[reason]! += datagramsOf(buffers.length[b]!, segment[b]!);
  buffers.giveChain(first);
}

function sendEach(r: Relay, k: number, first: number): void {
  const { buffers, segment } = r.udp!;
  for (let buffer = first; buffer >= 0;) {
    const next = buffers.next[buffer]!;
    buffers.next[buffer] = -1;
    if (segment[buffer]! > 0) apart(r, k, buffer, (part) => sendOne(r, k, part, true));
    else sendOne(r, k, buffer, true);
    buffer = next;
  }
}

/** A reply for a session, or the end of its receive; `bursts`: of the receive that may bring bursts. */
export function fromOrigin(
  r: Relay,
  flow: number,
  generation: number,
  result: number,
  cqeFlags: number,
  bursts: boolean,
): void {
  const udp = r.udp!;
  const { flows, buffers } = udp;
  const buffer = (cqeFlags & IORING_CQE_F_BUFFER) === 0 ? -1 : cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
  if (buffer >= 0) buffers.received(buffer, result);
  const alive = flows.generation[flow] === generation && flows.open[flow] === 1;
  const head = bursts ? REPLY_HEAD : 0;
  if (alive && result >= head) replied(r, flow, buffer, result - head, bursts);
  else if (buffer >= 0) buffers.give(buffer);
  if (!alive || (cqeFlags & IORING_CQE_F_MORE) !== 0) return;
  flows.reading[flow] = 0;
  // A receive that is to be followed by one of bursts was cancelled for that; any other for good.
  if (result === -ECANCELED && (bursts || flows.runs[flow]! < RUNS_OF_STREAM)) return;
  if (result === -ECONNREFUSED && failOver(r, flow, -1)) return;
  if (result === -ENOBUFS && !buffers.starved()) {
    r.rules.entry(flows.entry[flow]!).rule.row[DROP['wait-buffers']]! += 1;
    udp.hungry.push(-1 - flow);
  } else listenOrigin(r, flow);
}

/** Called before each wait: what was gathered goes, receives that found no buffer try again. */
export function feedUdp(r: Relay): void {
  const udp = r.udp!;
  udp.gather.flushAll();
  udp.buffers.provide();
  if (udp.hungry.length === 0 || udp.buffers.free === 0 || udp.isPaused) return;
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
