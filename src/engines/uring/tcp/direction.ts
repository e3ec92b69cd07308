/**
 * One direction of a connection: bytes from the side that it reads to the side that it writes. Called with completions by
 * worker.ts, and by dial.ts once there is an origin; it refuses to choose one, and leaves ends and clocks to connection.ts.
 *
 * By buffers: a multishot receive fills them, a queue keeps their order, one send at a time empties it. Reading stops while
 * the queue is long and goes on when it is empty: that is all the back-pressure there is.
 *
 * By a pipe ("bulk"), without a copy through our memory: big streams, and a direction that finds no buffer. splice(2) is
 * called directly, because in the ring it would go to a kernel thread; the ring only waits (poll). A stream that has become
 * a trickle goes back to buffers, which serve small messages at a third of the cost.
 *
 * Of a dead side: its bytes are delivered first, as long as the other side takes them, and then the reset is passed on; bytes
 * for it are read and dropped, so that a side that writes before it reads is not held up.
 */
import { shutdown, splice } from '../../../linux/ffi/libc.ts';
import { SEGMENT_BYTES } from '../../flow/behaviour.ts';
import {
  EAGAIN,
  ECANCELED,
  ENOBUFS,
  POLLERR,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_WR,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from '../../../linux/abi.ts';
import { IORING_CQE_BUFFER_SHIFT, IORING_CQE_F_BUFFER, IORING_CQE_F_MORE } from '../ring/abi.ts';
import { giveChain } from '../ring/buffers.ts';
import { BYTES_IN, CAUSE, DROP, PACKETS_IN } from '../worker/counters.ts';
import { OP, cancel, poll, receive, send, watchErrors } from '../ring/operations.ts';
import { PIPE_BYTES } from '../ring/pipes.ts';
import { arm, finish, resetCause } from './connection.ts';
import type { Tcp } from './connection.ts';
import { settle } from './settle.ts';
import {
  BULK,
  BULK_WANTED,
  CLOSED,
  DEAD,
  DIALLING,
  ENDED,
  HUNGRY,
  POLLING,
  READING,
  RELAYING,
  RESET,
  SENDING,
  STOPPING,
  WATCHED,
} from './slots.ts';

/** limit: a direction holds about this many buffers when its receiver is slow; one burst more may be on its way. */
const QUEUE_LONG = 8;
/** limit: a message rarely fills four buffers in a row; a stream does so at once. */
const STREAK_OF_STREAM = 4;
const SPLICE_FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
/** limit: after this many splices other connections get their turn; one splice moves up to a pipe full. */
const SPLICES = 16;
/** limit: half a socket's usual buffer: after less than this the source has been emptied. */
const MUCH_BYTES = 131_072;
/** limit: eight arrivals in a row that brought less than this each are not a stream any more. */
const TRICKLE_BYTES = 16_384;
const TRICKLES = 8;

/** `nothingYet`: spares the attempt that would find nothing; where it is wrong the poll completes at once. */
export function startReading(t: Tcp, k: number, nothingYet = false): void {
  const { directions: d, generation } = t.slots;
  d.flags[k]! |= READING;
  receive(t.ring, d.fd[k]!, t.provided.group, nothingYet, OP.RECEIVE, k, generation[k >> 1]!);
}

function stopReading(t: Tcp, k: number): void {
  const { directions: d, generation } = t.slots;
  if ((d.flags[k]! & (READING | STOPPING)) !== READING) return;
  d.flags[k]! |= STOPPING;
  cancel(t.ring, OP.RECEIVE, k, generation[k >> 1]!, 0);
}

/** Something arrived in direction k, or its receive has ended. */
export function received(t: Tcp, k: number, generation: number, result: number, cqeFlags: number): void {
  const { slots: s, buffers } = t;
  const { flags } = s.directions;
  const slot = k >> 1;
  const buffer = (cqeFlags & IORING_CQE_F_BUFFER) === 0 ? -1 : cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
  if (buffer >= 0) t.provided.received(buffer, result);
  if (s.generation[slot] !== generation) {
    if (buffer >= 0) buffers.give(buffer);
    return;
  }
  if ((cqeFlags & IORING_CQE_F_MORE) === 0) flags[k]! &= ~(READING | STOPPING);
  if (result > 0) return arrived(t, k, buffer, result);
  if (buffer >= 0) buffers.give(buffer);
  if (result === 0) {
    ended(t, k);
    if (s.state[slot] === DIALLING) watch(t, slot);
    flush(t, k);
  } else if (result === -ENOBUFS) starved(t, k);
  else if (result === -ECANCELED) flush(t, k);
  else brokenOff(t, k);
}

/** The source of direction k has sent its last byte. */
function ended(t: Tcp, k: number): void {
  const { directions: d, lives } = t.slots;
  if ((d.flags[k ^ 1]! & ENDED) === 0) lives.endedFirst[k >> 1] = k & 1;
  d.flags[k]! |= ENDED;
}

function arrived(t: Tcp, k: number, buffer: number, length: number): void {
  const { buffers } = t;
  const d = t.slots.directions;
  if ((d.flags[k]! & DEAD) !== 0) {
    buffers.give(buffer);
    return drain(t, k);
  }
  count(t, k, length);
  if (d.queued[k]!++ === 0) d.head[k] = buffer;
  else buffers.next[d.tail[k]!] = buffer;
  d.tail[k] = buffer;
  if (length < buffers.size) d.streak[k] = 0;
  else if (d.streak[k]! < STREAK_OF_STREAM && ++d.streak[k]! === STREAK_OF_STREAM) d.flags[k]! |= BULK_WANTED;
  if (d.queued[k]! >= QUEUE_LONG || (d.flags[k]! & BULK_WANTED) !== 0) stopReading(t, k);
  flush(t, k);
}

/** Payload of direction k has come in. */
function count({ slots, rules, clock }: Tcp, k: number, length: number): void {
  slots.lives.seenAt[k >> 1] = clock.now;
  slots.directions.bytes[k]! += length;
  // not: rules.entry(). Each byte comes along here (docs/explanation/tour.md).
  const { row } = rules.entries[slots.entry[k >> 1]!]!.rule;
  row[BYTES_IN + (k & 1)]! += length;
  row[PACKETS_IN + (k & 1)]! += Math.ceil(length / SEGMENT_BYTES);
}

/** Does for direction k whatever can be done now: send, pass the end on, change to bulk, read on. */
export function flush(t: Tcp, k: number): void {
  const { slots: s, buffers } = t;
  const d = s.directions;
  const slot = k >> 1;
  const flags = d.flags[k]!;
  if (s.state[slot] !== RELAYING) {
    if (d.queued[k]! < QUEUE_LONG && (flags & (READING | ENDED | HUNGRY)) === 0) startReading(t, k);
    return;
  }
  if ((flags & DEAD) !== 0) return drain(t, k);
  if ((flags & (SENDING | BULK)) !== 0) return;
  const buffer = d.head[k]!;
  if (buffer >= 0) {
    d.flags[k] = flags | SENDING;
    const start = buffers.start[buffer]!;
    send(t.ring, d.fd[k ^ 1]!, buffers.slab, start, buffers.length[buffer]!, k, s.generation[slot]!, buffer);
    // A receive that ended by itself is armed again as long as the queue is short.
    if ((flags & (READING | ENDED | HUNGRY | BULK_WANTED)) === 0 && d.queued[k]! < QUEUE_LONG) startReading(t, k);
  } else if ((flags & ENDED) !== 0) passEnd(t, k);
  else if ((flags & HUNGRY) !== 0) {
    // It went hungry while its origin was being dialled: buffers may never come back, a pipe does as well.
    if (enterBulk(t, k)) d.flags[k]! &= ~HUNGRY;
  } else if ((flags & READING) === 0) {
    if ((flags & BULK_WANTED) !== 0 && enterBulk(t, k)) return;
    d.flags[k]! &= ~BULK_WANTED;
    d.streak[k] = 0;
    startReading(t, k);
  }
}

/** The head of direction k's queue was sent, or could not be. */
export function sent(t: Tcp, k: number, generation: number, buffer: number, result: number): void {
  const { slots: s, buffers, clock } = t;
  const d = s.directions;
  if (s.generation[k >> 1] !== generation) {
    buffers.give(buffer);
    return;
  }
  d.flags[k]! &= ~SENDING;
  if ((d.flags[k]! & DEAD) !== 0) return dropQueue(t, k);
  if (result < 0) return sideDied(t, k >> 1, (k & 1) ^ 1);
  if (result < buffers.length[buffer]!) {
    buffers.start[buffer]! += result;
    buffers.length[buffer]! -= result;
  } else {
    d.head[k] = buffers.next[buffer]!;
    d.queued[k]!--;
    buffers.give(buffer);
  }
  s.lives.seenAt[k >> 1] = clock.now;
  flush(t, k);
}

/** Everything of direction k is delivered, its end too; with the other direction's end the connection is complete. */
function passEnd(t: Tcp, k: number): void {
  const { directions: d, lives } = t.slots;
  const slot = k >> 1;
  if ((d.flags[k]! & RESET) !== 0) return settle(t, k);
  if ((d.flags[k ^ 1]! & CLOSED) !== 0) {
    finish(t, slot, lives.endedFirst[slot] === 0 ? CAUSE['client-closed'] : CAUSE['origin-closed'], false);
    return;
  }
  d.flags[k]! |= CLOSED;
  shutdown(d.fd[k ^ 1]!, SHUT_WR);
}

/** No buffer was there for direction k. Splice needs none; where there is no pipe either it waits its turn. */
function starved(t: Tcp, k: number): void {
  const { slots: s } = t;
  const d = s.directions;
  const slot = k >> 1;
  if (t.provided.starved()) return flush(t, k);
  t.rules.entry(s.entry[slot]!).rule.row[DROP['wait-buffers']]! += 1;
  const maySplice = s.state[slot] === RELAYING && d.queued[k] === 0 && (d.flags[k]! & DEAD) === 0;
  if (maySplice && enterBulk(t, k)) return;
  d.flags[k]! |= HUNGRY;
  d.hungry.push(k, s.generation[slot]!);
}

/** Buffers may have come back: those that wait for one go on. */
export function feed(t: Tcp): void {
  const { directions: d, generation } = t.slots;
  if (t.buffers.free === 0) return;
  const waiting = d.hungry.splice(0);
  for (let i = 0; i < waiting.length; i += 2) {
    const k = waiting[i]!;
    if (generation[k >> 1] !== waiting[i + 1]) continue;
    d.flags[k]! &= ~HUNGRY;
    flush(t, k);
  }
}

/** The client has sent its end while its origin is being dialled; a reset behind it comes by no receive. */
function watch({ ring, slots: { directions: d, generation } }: Tcp, slot: number): void {
  d.flags[2 * slot]! |= WATCHED;
  watchErrors(ring, d.fd[2 * slot]!, slot, generation[slot]!);
}

/** Something has happened on the socket of a client that has sent its end: an error, or only that end. */
export function watched(t: Tcp, slot: number, generation: number, events: number, cqeFlags: number): void {
  const { slots: s } = t;
  if (s.generation[slot] !== generation) return;
  if ((cqeFlags & IORING_CQE_F_MORE) === 0) s.directions.flags[2 * slot]! &= ~WATCHED;
  if (events > 0 && (events & POLLERR) !== 0) finish(t, slot, CAUSE['client-reset'], true);
}

/** Direction k has nothing queued and is not read. False: no pipe is to be had, go on with buffers. */
function enterBulk(t: Tcp, k: number): boolean {
  const { slots: s, pipes } = t;
  const d = s.directions;
  const read = pipes.take();
  if (read < 0) {
    t.rules.entry(s.entry[k >> 1]!).rule.row[DROP['wait-pipes']]! += 1;
    return false;
  }
  d.pipeRead[k] = read;
  d.pipeWrite[k] = pipes.writeEnd;
  d.inPipe[k] = 0;
  d.streak[k] = 0;
  d.flags[k] = (d.flags[k]! & ~BULK_WANTED) | BULK;
  pump(t, k);
  return true;
}

function leaveBulk({ slots: { directions: d }, pipes }: Tcp, k: number): void {
  pipes.give(d.pipeRead[k]!, d.pipeWrite[k]!, d.inPipe[k]!);
  d.pipeRead[k] = d.pipeWrite[k] = -1;
  d.streak[k] = 0;
  d.flags[k]! &= ~BULK;
}

/** A poll of direction k has completed. Errors come out of the next splice, under their own name. */
export function polled(t: Tcp, k: number, generation: number): void {
  const { slots: s } = t;
  if (s.generation[k >> 1] !== generation) return;
  s.directions.flags[k]! &= ~POLLING;
  // It has left bulk where its destination is dead.
  if ((s.directions.flags[k]! & BULK) !== 0) pump(t, k);
}

function pump(t: Tcp, k: number): void {
  const { directions: d, lives } = t.slots;
  const from = d.fd[k]!;
  const to = d.fd[k ^ 1]!;
  for (let turn = 0; turn < SPLICES; turn++) {
    if (d.inPipe[k]! > 0) {
      const out = splice(d.pipeRead[k]!, 0, to, 0, d.inPipe[k]!, SPLICE_FLAGS);
      if (out < 0 && out !== -EAGAIN) return sideDied(t, k >> 1, (k & 1) ^ 1);
      if (out > 0) {
        d.inPipe[k]! -= out;
        lives.seenAt[k >> 1] = t.clock.now;
      }
      if (d.inPipe[k]! > 0) return wait(t, k, to, POLLOUT);
    }
    if ((d.flags[k]! & ENDED) !== 0) {
      leaveBulk(t, k);
      return passEnd(t, k);
    }
    // Little came last time, so nothing more is there now: the ring's poll asks for less than a call would cost.
    if (turn > 0 && d.last[k]! < MUCH_BYTES) return wait(t, k, from, POLLIN | POLLRDHUP);
    const got = splice(from, 0, d.pipeWrite[k]!, 0, PIPE_BYTES, SPLICE_FLAGS);
    if (got === -EAGAIN) return wait(t, k, from, POLLIN | POLLRDHUP);
    if (got < 0) return brokenOff(t, k);
    if (got === 0) ended(t, k);
    else if (!filled(t, k, got)) return;
  }
  // Very likely still ready: the poll completes at once, behind all other connections that are ready.
  if (d.inPipe[k]! > 0) wait(t, k, to, POLLOUT);
  else wait(t, k, from, POLLIN | POLLRDHUP);
}

/** So many bytes went into the pipe. False: the stream is a trickle now, and the direction has gone back to buffers. */
function filled(t: Tcp, k: number, got: number): boolean {
  const d = t.slots.directions;
  d.inPipe[k]! += got;
  d.last[k] = got;
  count(t, k, got);
  if (got >= TRICKLE_BYTES) d.streak[k] = 0;
  else if (++d.streak[k]! >= TRICKLES) return !returnsToBuffers(t, k);
  return true;
}

/** Goes back to buffers, if all that the pipe holds can go at once. */
function returnsToBuffers(t: Tcp, k: number): boolean {
  const d = t.slots.directions;
  const out = splice(d.pipeRead[k]!, 0, d.fd[k ^ 1]!, 0, d.inPipe[k]!, SPLICE_FLAGS);
  if (out > 0) d.inPipe[k]! -= out;
  if (d.inPipe[k]! > 0) return false;
  leaveBulk(t, k);
  startReading(t, k);
  return true;
}

function wait({ ring, slots: { directions: d, generation } }: Tcp, k: number, fd: number, events: number): void {
  d.flags[k]! |= POLLING;
  poll(ring, fd, events, k, generation[k >> 1]!);
}

/** Nothing can be written to this side any more. Its own direction goes on until nothing more comes of it. */
function sideDied(t: Tcp, slot: number, side: number): void {
  const { slots: s } = t;
  const { flags } = s.directions;
  const from = 2 * slot + side;
  const towards = from ^ 1;
  if (s.state[slot] !== RELAYING) return finish(t, slot, resetCause(side), true);
  // The other one is dead already.
  if ((flags[towards]! & RESET) !== 0) return finish(t, slot, resetCause(side ^ 1), true);
  if ((flags[from]! & RESET) !== 0) return;
  flags[from]! |= RESET;
  if (side === 1) countReset(t, slot);
  abandon(t, towards);
  s.lives.seenAt[slot] = t.clock.now;
  arm(t, slot);
  if ((flags[from]! & ENDED) !== 0) flush(t, from);
}

/** not: of a connection with bytes. What its client has sent may be the reason, and no client may bring an origin down. */
function countReset({ outcomes, rules, slots: { directions: d, dials, entry } }: Tcp, slot: number): void {
  if (d.bytes[2 * slot]! + d.bytes[2 * slot + 1]! > 0) return;
  outcomes.failed(dials.target[slot]!, CAUSE['origin-reset'], rules.entry(entry[slot]!).rule.spec);
}

/** The source of direction k is dead, and all that came from it has been read. */
function brokenOff(t: Tcp, k: number): void {
  const { slots: s } = t;
  const d = s.directions;
  const slot = k >> 1;
  const generation = s.generation[slot];
  sideDied(t, slot, k & 1);
  if (s.generation[slot] !== generation) return;
  d.flags[k]! |= ENDED;
  if ((d.flags[k]! & BULK) !== 0 && d.inPipe[k] === 0) leaveBulk(t, k);
  flush(t, k);
}

/** The destination of direction k is dead: nothing of it is kept. */
function abandon(t: Tcp, k: number): void {
  const { flags } = t.slots.directions;
  if ((flags[k]! & BULK) !== 0) leaveBulk(t, k);
  flags[k] = (flags[k]! & ~BULK_WANTED) | DEAD;
  if ((flags[k] & SENDING) === 0) dropQueue(t, k);
  drain(t, k);
}

/** Reads direction k, whose destination is dead, and drops what arrives. */
function drain(t: Tcp, k: number): void {
  if ((t.slots.directions.flags[k]! & (READING | ENDED | HUNGRY)) === 0) startReading(t, k);
}

/** Nothing of it is with the kernel. */
function dropQueue({ slots: { directions: d }, buffers }: Tcp, k: number): void {
  giveChain(buffers, d.head[k]!);
  d.head[k] = d.tail[k] = -1;
  d.queued[k] = 0;
}
