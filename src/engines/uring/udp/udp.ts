/**
 * The UDP half of a worker, and what to do with each completion of its sockets. Each bound socket has one multishot receive
 * that delivers every datagram with its sender; each session has a connected socket of its own (sessions.ts), so that the
 * kernel itself takes replies from that origin alone; a reply leaves by the socket that the client spoke to. A datagram that
 * would have to wait is dropped and counted. It refuses to answer a client with anything but an origin's datagrams, so a
 * spoofed source gains no more than the origin would have given it. Called by worker.ts.
 */
import { close } from '../../../linux/ffi/libc.ts';
import {
  ECANCELED,
  ECONNREFUSED,
  EHOSTUNREACH,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENETUNREACH,
  ENOBUFS,
} from '../../../linux/abi.ts';
import { IORING_CQE_BUFFER_SHIFT, IORING_CQE_F_BUFFER, IORING_CQE_F_MORE } from '../ring/abi.ts';
import { giveChain } from '../ring/buffers.ts';
import { DROP } from '../worker/counters.ts';
import { MESSAGE_HEAD, NAME_ROOM, RECVMSG_OUT, REPLY_HEAD, UDP_BUFFERS } from '../worker/memory.ts';
import type { Entry } from '../worker/rule.ts';
import type { WorkerState } from '../worker/state.ts';
import { Datagrams, segmentOf } from './datagrams.ts';
import { failOver, keepFirst } from './fail-over.ts';
import { FirstDatagrams } from './first-datagrams.ts';
import { Flows } from './flows.ts';
import { forward } from './forward.ts';
import { GsoMessages } from './gso-messages.ts';
import { GsoChains } from './gso.ts';
import { RUNS_OF_STREAM, listenToClients, listenToOrigin } from './receive.ts';
import { replied } from './replies.ts';
import { flushAll, sendEach } from './send.ts';
import { openSession } from './sessions.ts';
import type { Udp } from './sessions.ts';
import { countDrops } from './socket-drops.ts';

/** Made with the first UDP rule, because its buffers are many addresses. `firstClock`: its sessions' place on the wheel. */
export function createUdp(
  state: WorkerState,
  sessions: number,
  descriptors: SharedArrayBuffer,
  firstClock: number,
): Udp {
  const datagrams = new Datagrams(state.ring);
  const { buffers } = datagrams;
  return {
    ...state,
    datagrams,
    flows: new Flows(sessions, descriptors, firstClock),
    gso: new GsoChains(buffers, sessions),
    gsoMessages: new GsoMessages(state.ring, buffers),
    firsts: new FirstDatagrams(buffers, sessions, UDP_BUFFERS.count),
  };
}

export function releaseUdp({ datagrams, flows, gsoMessages }: Udp): void {
  datagrams.release();
  flows.names.release();
  gsoMessages.release();
}

/** A datagram for an entry, or the end of its receive. */
export function fromClient(u: Udp, index: number, result: number, cqeFlags: number): void {
  const { buffers, provided, hungry, isPaused } = u.datagrams;
  const entry = u.rules.entry(index);
  if ((cqeFlags & IORING_CQE_F_BUFFER) !== 0) {
    const buffer = cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
    provided.received(buffer, result);
    if (result < MESSAGE_HEAD || entry.closing) buffers.give(buffer);
    else arrived(u, entry, buffer, result - MESSAGE_HEAD);
  }
  if ((cqeFlags & IORING_CQE_F_MORE) !== 0) return;
  entry.posted = 0;
  if (isPaused && !entry.closing) return;
  if (entry.closing) closeSocket(u, entry);
  else if (result === -ENOBUFS && !provided.starved()) {
    entry.rule.row[DROP['wait-buffers']]! += 1;
    hungry.push(index);
  } else listenToClients(u, entry);
}

/** A client's datagram or burst of `size` bytes. */
function arrived(u: Udp, entry: Entry, buffer: number, size: number): void {
  const { datagrams, flows } = u;
  const { buffers, words } = datagrams;
  const start = buffers.start[buffer]!;
  const name = start + RECVMSG_OUT;
  const each = segmentOf(words, start, NAME_ROOM);
  let flow = flows.find(entry.index, words, name >> 2);
  if (flow < 0) {
    flow = openSession(u, entry, buffers.memory, words, name, each > 0 ? Math.min(each, size) : size);
    if (flow < 0) return buffers.give(buffer);
  }
  // order: the sender's address has been read; a header may take its place, right in front of the payload.
  datagrams.describe(buffer, start + MESSAGE_HEAD, size, each);
  forward(u, entry, flow, buffer, false);
}

/** The chain of direction k that begins with `first` has left, or has not; `again`: it was its second chance. */
export function sentDatagrams(
  u: Udp,
  k: number,
  generation: number,
  first: number,
  result: number,
  again: boolean,
): void {
  const { flows, gso, datagrams } = u;
  const { buffers, segment } = datagrams;
  const flow = k >> 1;
  const isAlive = flows.generation[flow] === generation;
  if (result >= 0 && isAlive && (k & 1) === 0 && keepFirst(u, flow, first)) return;
  if (result >= 0 || !isAlive) return giveChain(buffers, first);
  const isSegmented = buffers.next[first]! >= 0 || segment[first]! > 0;
  const refusesSegments = isSegmented && (result === -EINVAL || result === -EMSGSIZE || result === -EIO);
  if (refusesSegments) gso.refused(k);
  // An error of the datagram before, told at this one: it has not been sent.
  const isLate = result === -ECONNREFUSED && !again;
  const isOrigins = (k & 1) === 0 && (isLate || result === -EHOSTUNREACH || result === -ENETUNREACH);
  if (isOrigins && failOver(u, flow, first, isLate ? 'origin-refused' : 'origin-unreachable')) return;
  if (refusesSegments || (isOrigins && isLate)) return sendEach(u, k, first);
  const { row } = u.rules.entry(flows.entry[flow]!).rule;
  const reason = result === -EMSGSIZE ? DROP.oversize : DROP.queue;
  for (let b = first; b >= 0; b = buffers.next[b]!) row[reason]! += datagrams.count(b);
  giveChain(buffers, first);
}

/** A reply for a session, or the end of its receive; `bursts`: of the receive that may bring bursts. */
export function fromOrigin(
  u: Udp,
  flow: number,
  generation: number,
  result: number,
  cqeFlags: number,
  bursts: boolean,
): void {
  const { flows } = u;
  const { buffers, provided, hungry } = u.datagrams;
  const buffer = (cqeFlags & IORING_CQE_F_BUFFER) === 0 ? -1 : cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
  if (buffer >= 0) provided.received(buffer, result);
  const isAlive = flows.generation[flow] === generation;
  const head = bursts ? REPLY_HEAD : 0;
  if (isAlive && result >= head) replied(u, flow, buffer, result - head, bursts);
  else if (buffer >= 0) buffers.give(buffer);
  if (!isAlive || (cqeFlags & IORING_CQE_F_MORE) !== 0) return;
  flows.sockets.reading[flow] = 0;
  // A receive that is to be followed by one of bursts was cancelled for that; any other for good.
  if (result === -ECANCELED && (bursts || flows.sockets.runs[flow]! < RUNS_OF_STREAM)) return;
  if (result === -ECONNREFUSED && failOver(u, flow, -1, 'origin-refused')) return;
  if (result === -ENOBUFS && !provided.starved()) {
    u.rules.entry(flows.entry[flow]!).rule.row[DROP['wait-buffers']]! += 1;
    hungry.push(-1 - flow);
  } else listenToOrigin(u, flow);
}

/** Called before each wait: chains that wait go, receives that found no buffer try again. */
export function feedUdp(u: Udp): void {
  const { buffers, provided, hungry, isPaused } = u.datagrams;
  const { sockets } = u.flows;
  flushAll(u);
  provided.provide();
  if (hungry.length === 0 || buffers.free === 0 || isPaused) return;
  for (const number of hungry.splice(0)) {
    if (number < 0) {
      const flow = -1 - number;
      if (sockets.fd[flow]! >= 0 && sockets.reading[flow] === 0) listenToOrigin(u, flow);
    } else {
      const entry = u.rules.entry(number);
      if (entry.posted === 0 && !entry.closing) listenToClients(u, entry);
    }
  }
}

/** Nothing is under way any more on the socket of a closing entry. */
export function closeSocket({ ring, rules }: Udp, entry: Entry): void {
  // order: a submission that waits may name this descriptor, and a closed one is soon another socket's.
  ring.enter(0, 0);
  countDrops(entry.rule, entry.fd, entry.overflowed);
  close(entry.fd);
  rules.closed(entry);
}
