/**
 * Bytes from one side to the other by buffers: a multishot receive per direction fills them, a queue keeps their order,
 * one send at a time empties it. Reading stops while the queue is long and goes on when it is empty: that is all the
 * back-pressure there is. Ends and resets are passed on as they came. Big streams change over to splice.ts.
 */
import { ECANCELED, ENOBUFS, SHUT_WR } from '../../../linux/abi.ts';
import { shutdown } from '../../../linux/ffi/libc.ts';
import { SEGMENT_BYTES } from '../../flow/behaviour.ts';
import { IORING_CQE_BUFFER_SHIFT, IORING_CQE_F_BUFFER, IORING_CQE_F_MORE } from '../ring/abi.ts';
import { BYTES_IN, CAUSE, DROP, PACKETS_IN } from '../worker/counters.ts';
import { endedEarly } from './dial.ts';
import { OP, cancelReceive, receive, send } from '../ring/operations.ts';
import { brokenOff, drain, dropQueue, lost, settle } from './lost.ts';
import { finish } from './relay.ts';
import type { Relay } from './relay.ts';
import {
  BULK,
  BULK_WANTED,
  CLOSED,
  DEAD,
  DIALLING,
  ENDED,
  HUNGRY,
  READING,
  RELAYING,
  RESET,
  SENDING,
  STOPPING,
} from './slots.ts';
import { enterBulk } from './splice.ts';

/** limit: a direction holds about this many buffers when its receiver is slow; one burst more may be on its way. */
const QUEUE_LONG = 8;
/** limit: a message rarely fills four buffers in a row; a stream does so at once. */
const STREAK_OF_STREAM = 4;

/** `nothingYet`: spares the attempt that would find nothing; where it is wrong the poll completes at once. */
export function startReading(r: Relay, k: number, nothingYet = false): void {
  const { slots: s } = r;
  s.flags[k]! |= READING;
  receive(r.ring, s.fd[k]!, r.buffers.group, nothingYet, OP.RECEIVE, k, s.generation[k >> 1]!);
}

function stopReading(r: Relay, k: number): void {
  const { slots: s } = r;
  if ((s.flags[k]! & (READING | STOPPING)) !== READING) return;
  s.flags[k]! |= STOPPING;
  cancelReceive(r.ring, OP.RECEIVE, k, s.generation[k >> 1]!);
}

/** Something arrived in direction k, or its receive has ended. */
export function received(r: Relay, k: number, generation: number, result: number, cqeFlags: number): void {
  const { slots: s, buffers } = r;
  const slot = k >> 1;
  const buffer = (cqeFlags & IORING_CQE_F_BUFFER) === 0 ? -1 : cqeFlags >>> IORING_CQE_BUFFER_SHIFT;
  if (buffer >= 0) buffers.received(buffer, result);
  if (s.generation[slot] !== generation) {
    if (buffer >= 0) buffers.give(buffer);
    return;
  }
  if ((cqeFlags & IORING_CQE_F_MORE) === 0) s.flags[k]! &= ~(READING | STOPPING);
  if (result > 0) return arrived(r, k, buffer, result);
  if (buffer >= 0) buffers.give(buffer);
  if (result === 0) {
    ended(r, k);
    if (s.state[slot] === DIALLING) endedEarly(r, slot);
    flush(r, k);
  } else if (result === -ENOBUFS) starved(r, k);
  else if (result === -ECANCELED) flush(r, k);
  else brokenOff(r, k);
}

/** The source of direction k has sent its last byte. */
export function ended(r: Relay, k: number): void {
  const { slots: s } = r;
  if ((s.flags[k ^ 1]! & ENDED) === 0) s.endedFirst[k >> 1] = k & 1;
  s.flags[k]! |= ENDED;
}

function arrived(r: Relay, k: number, buffer: number, length: number): void {
  const { slots: s, buffers } = r;
  if ((s.flags[k]! & DEAD) !== 0) {
    buffers.give(buffer);
    return drain(r, k);
  }
  count(r, k, length);
  if (s.queued[k]!++ === 0) s.head[k] = buffer;
  else buffers.next[s.tail[k]!] = buffer;
  s.tail[k] = buffer;
  if (length < buffers.size) s.streak[k] = 0;
  else if (s.streak[k]! < STREAK_OF_STREAM && ++s.streak[k]! === STREAK_OF_STREAM) s.flags[k]! |= BULK_WANTED;
  if (s.queued[k]! >= QUEUE_LONG || (s.flags[k]! & BULK_WANTED) !== 0) stopReading(r, k);
  flush(r, k);
}

/** Payload of direction k has come in. */
export function count(r: Relay, k: number, length: number): void {
  const { slots: s } = r;
  s.seenAt[k >> 1] = r.now;
  s.bytes[k]! += length;
  const { row } = r.rules.rule(s.rule[k >> 1]!);
  row[BYTES_IN + (k & 1)]! += length;
  row[PACKETS_IN + (k & 1)]! += Math.ceil(length / SEGMENT_BYTES);
}

/** Does for direction k whatever can be done now: send, pass the end on, change to bulk, read on. */
export function flush(r: Relay, k: number): void {
  const { slots: s, buffers } = r;
  const slot = k >> 1;
  const flags = s.flags[k]!;
  if (s.state[slot] !== RELAYING) {
    if (s.queued[k]! < QUEUE_LONG && (flags & (READING | ENDED | HUNGRY)) === 0) startReading(r, k);
    return;
  }
  if ((flags & DEAD) !== 0) return drain(r, k);
  if ((flags & (SENDING | BULK)) !== 0) return;
  const buffer = s.head[k]!;
  if (buffer >= 0) {
    s.flags[k] = flags | SENDING;
    send(
      r.ring,
      s.fd[k ^ 1]!,
      buffers.slab,
      buffers.start[buffer]!,
      buffers.length[buffer]!,
      k,
      s.generation[slot]!,
      buffer,
    );
    // A receive that ended by itself is armed again as long as the queue is short.
    if ((flags & (READING | ENDED | HUNGRY | BULK_WANTED)) === 0 && s.queued[k]! < QUEUE_LONG) startReading(r, k);
  } else if ((flags & ENDED) !== 0) passEnd(r, k);
  else if ((flags & HUNGRY) !== 0) {
    // It went hungry while its origin was being dialled: buffers may never come back, a pipe does as well.
    if (enterBulk(r, k)) s.flags[k]! &= ~HUNGRY;
  } else if ((flags & READING) === 0) {
    if ((flags & BULK_WANTED) !== 0 && enterBulk(r, k)) return;
    s.flags[k]! &= ~BULK_WANTED;
    s.streak[k] = 0;
    startReading(r, k);
  }
}

/** The head of direction k's queue was sent, or could not be. */
export function sent(r: Relay, k: number, generation: number, buffer: number, result: number): void {
  const { slots: s, buffers } = r;
  if (s.generation[k >> 1] !== generation) {
    buffers.give(buffer);
    return;
  }
  s.flags[k]! &= ~SENDING;
  if ((s.flags[k]! & DEAD) !== 0) return dropQueue(r, k);
  if (result < 0) return lost(r, k >> 1, (k & 1) ^ 1);
  if (result < buffers.length[buffer]!) {
    buffers.start[buffer]! += result;
    buffers.length[buffer]! -= result;
  } else {
    s.head[k] = buffers.next[buffer]!;
    s.queued[k]!--;
    buffers.give(buffer);
  }
  s.seenAt[k >> 1] = r.now;
  flush(r, k);
}

/** Everything of direction k is delivered, its end too; with the other direction's end the connection is complete. */
export function passEnd(r: Relay, k: number): void {
  const { slots: s } = r;
  const slot = k >> 1;
  if ((s.flags[k]! & RESET) !== 0) return settle(r, k);
  if ((s.flags[k ^ 1]! & CLOSED) !== 0) {
    finish(r, slot, s.endedFirst[slot] === 0 ? CAUSE['client-closed'] : CAUSE['origin-closed'], false);
    return;
  }
  s.flags[k]! |= CLOSED;
  shutdown(s.fd[k ^ 1]!, SHUT_WR);
}

/** No buffer was there for direction k. Splice needs none; where there is no pipe either it waits its turn. */
function starved(r: Relay, k: number): void {
  const { slots: s } = r;
  const slot = k >> 1;
  if (r.buffers.starved()) return flush(r, k);
  r.rules.rule(s.rule[slot]!).row[DROP['wait-buffers']]! += 1;
  const maySplice = s.state[slot] === RELAYING && s.queued[k] === 0 && (s.flags[k]! & DEAD) === 0;
  if (maySplice && enterBulk(r, k)) return;
  s.flags[k]! |= HUNGRY;
  r.hungry.push(k, s.generation[slot]!);
}

/** Called after each batch: buffers may have come back. */
export function feed(r: Relay): void {
  if (r.hungry.length === 0 || r.buffers.free === 0) return;
  const waiting = r.hungry.splice(0);
  for (let i = 0; i < waiting.length; i += 2) {
    const k = waiting[i]!;
    if (r.slots.generation[k >> 1] !== waiting[i + 1]) continue;
    r.slots.flags[k]! &= ~HUNGRY;
    flush(r, k);
  }
}
