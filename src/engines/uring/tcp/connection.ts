/**
 * A TCP connection from its slot to its record: begin() counts it in, arm() sets its clock, finish() is the only way out.
 * It refuses to move bytes (direction.ts), to look for an origin (dial.ts) and to read the clock (timers.ts): these three
 * and accept.ts call it.
 */
import { CONNECTION_DESCRIPTORS, RECORD_EVERY_MS, SETTLE_MS, STALLED_MS } from '../../flow/behaviour.ts';
import { NEVER } from '../../flow/verdict.ts';
import { setsockopt } from '../../../linux/ffi/libc.ts';
import { SOL_SOCKET, SO_LINGER } from '../../../linux/abi.ts';
import { giveChain } from '../ring/buffers.ts';
import type { BufferPool, ProvidedBuffers } from '../ring/buffers.ts';
import { ACTIVE, CAUSE, CONNECTIONS, LOST, SAMPLED, countEnd } from '../worker/counters.ts';
import { OP, cancel, close } from '../ring/operations.ts';
import type { Pipes } from '../ring/pipes.ts';
import { PARTY } from '../worker/records.ts';
import { BULK, DIALLING, POLLING, READING, RESET, SENDING, SETTLING, WATCHED } from './slots.ts';
import type { Slots } from './slots.ts';
import { addressOffset, addressSize, portAt } from '../../../linux/sockaddr.ts';
import type { WorkerState } from '../worker/state.ts';

/** The TCP half of a worker, as far as a connection needs it. */
export interface Tcp extends WorkerState {
  readonly slots: Slots;
  readonly buffers: BufferPool;
  readonly provided: ProvidedBuffers;
  readonly pipes: Pipes;
}

/** l_onoff = 1, l_linger = 0: close sends RST. */
export const LINGER_ZERO = Int32Array.of(1, 0);

/** Counts and times a connection that was just accepted. */
export function begin(t: Tcp, slot: number): void {
  const { lives } = t.slots;
  const entry = t.rules.entry(t.slots.entry[slot]!);
  const { rule } = entry;
  lives.number[slot] = t.records.nextNumber();
  t.rules.opened(entry);
  rule.row[CONNECTIONS]! += 1;
  rule.row[ACTIVE]! += 1;
  t.shares.add(sourceOf(t, slot), CONNECTION_DESCRIPTORS);
  const oneIn = rule.spec.options.recordOneIn;
  if (oneIn > 0 && rule.seen++ % oneIn === 0) lives.recordAt[slot] = t.clock.now + RECORD_EVERY_MS;
}

/**
 * The end of a connection, whatever the reason. With `reset`, both sides learn by RST; otherwise by FIN behind whatever
 * was sent. The slot is free at once: completions that still come carry the old generation.
 */
export function finish(t: Tcp, slot: number, cause: number, reset: boolean): void {
  const { slots: s } = t;
  const d = s.directions;
  record(t, slot, cause);
  cancelOperations(t, slot);
  for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
    const fd = d.fd[k]!;
    if (fd < 0) continue;
    if (reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_ZERO, 8);
    close(t.ring, fd);
  }
  for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
    if ((d.flags[k]! & BULK) !== 0) {
      t.pipes.give(d.pipeRead[k]!, d.pipeWrite[k]!, d.inPipe[k]!);
      d.pipeRead[k] = d.pipeWrite[k] = -1;
    }
    // The buffer that the kernel is sending comes back with its completion.
    const head = d.head[k]!;
    giveChain(t.buffers, (d.flags[k]! & SENDING) === 0 ? head : t.buffers.next[head]!);
    d.head[k] = d.tail[k] = -1;
  }
  t.wheel.clear(slot);
  const entry = t.rules.entry(s.entry[slot]!);
  entry.rule.row[ACTIVE]! -= 1;
  countEnd(entry.rule.row, cause);
  t.rules.ended(entry);
  t.shares.add(sourceOf(t, slot), -CONNECTION_DESCRIPTORS);
  s.give(slot);
  t.budget.give(CONNECTION_DESCRIPTORS);
}

/** An operation that is under way on a socket holds it open. */
function cancelOperations({ ring, slots: s }: Tcp, slot: number): void {
  const { flags, fd, head } = s.directions;
  const generation = s.generation[slot]!;
  const isConnecting = s.state[slot] === DIALLING && fd[2 * slot + 1]! >= 0;
  if (isConnecting) cancel(ring, OP.CONNECT, slot, generation, s.dials.attempt[slot]!);
  for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
    if ((flags[k]! & READING) !== 0) cancel(ring, OP.RECEIVE, k, generation, 0);
    if ((flags[k]! & SENDING) !== 0) cancel(ring, OP.SEND, k, generation, head[k]!);
    if ((flags[k]! & POLLING) !== 0) cancel(ring, OP.POLL, k, generation, 0);
    if ((flags[k]! & WATCHED) !== 0) cancel(ring, OP.WATCH, slot, generation, 0);
  }
}

/** Its client's place in the shares. */
function sourceOf({ slots: { names }, shares }: Tcp, slot: number): number {
  const client = names.offset(2 * slot);
  return shares.placeOf(names.bytes, addressOffset(names.bytes, client), addressSize(names.bytes, client));
}

/** Sets the connection's clock to whatever comes first: connect time-out, idle, deadline, record, a reset's delivery. */
export function arm(t: Tcp, slot: number): void {
  const { slots: s, clock } = t;
  const { lives } = s;
  let due = s.state[slot] === DIALLING ? dialEnds(t, slot) : idleAt(t, slot);
  due = Math.min(due, lives.deadline[slot]!, lives.recordAt[slot]!);
  const k = brokenDirection(t, slot);
  if (k >= 0) {
    const isSettling = (s.directions.flags[k]! & SETTLING) !== 0;
    due = Math.min(due, isSettling ? clock.now + SETTLE_MS : lives.seenAt[slot]! + STALLED_MS);
  }
  t.wheel.set(slot, due);
}

/** When the dial of a connection times out. */
export function dialEnds({ slots: s, rules }: Tcp, slot: number): number {
  return s.dials.startedAt[slot]! + rules.entry(s.entry[slot]!).rule.spec.options.connectTimeoutMs;
}

/** When the connection has been silent for too long; one that dials is never idle. */
export function idleAt({ slots: s, rules }: Tcp, slot: number): number {
  if (s.state[slot] === DIALLING) return NEVER;
  return s.lives.seenAt[slot]! + rules.entry(s.entry[slot]!).rule.spec.options.idleSeconds * 1000;
}

/** The direction whose source is dead and whose reset waits for a delivery, or −1. */
export function brokenDirection({ slots }: Tcp, slot: number): number {
  const { flags } = slots.directions;
  if ((flags[2 * slot]! & RESET) !== 0) return 2 * slot;
  return (flags[2 * slot + 1]! & RESET) === 0 ? -1 : 2 * slot + 1;
}

/** The cause of an end by a dead side (0: the client's). */
export function resetCause(side: number): number {
  return side === 0 ? CAUSE['client-reset'] : CAUSE['origin-reset'];
}

/** The record of a connection's end, or of its last minute (cause −1): the next one tells what does not fit into this. */
export function record(t: Tcp, slot: number, cause: number): void {
  const { slots: s, records, clock } = t;
  const { lives, names } = s;
  const entry = t.rules.entry(s.entry[slot]!);
  const { row, index } = entry.rule;
  if (lives.recordAt[slot] === NEVER) {
    row[SAMPLED]! += 1;
    return;
  }
  const { bytes } = s.directions;
  const k = 2 * slot;
  const bytesIn = bytes[k]! - lives.recorded[k]!;
  const bytesOut = bytes[k + 1]! - lives.recorded[k + 1]!;
  lives.recordAt[slot] = clock.now + RECORD_EVERY_MS;
  if (!records.begin(lives.number[slot]!, index, false, cause, lives.acceptedAt[slot]!, clock.now, bytesIn, bytesOut)) {
    if (cause >= 0) row[LOST]! += 1;
    return;
  }
  lives.recorded[k] = bytes[k]!;
  lives.recorded[k + 1] = bytes[k + 1]!;
  const client = names.offset(k);
  recordName(t, PARTY.client, client);
  records.party(PARTY.entry, entry.address, 0, entry.address.length, entry.port);
  if (s.state[slot] !== DIALLING) recordName(t, PARTY.origin, names.offset(k + 1));
  records.commit();
}

function recordName({ slots, records }: Tcp, party: typeof PARTY.client | typeof PARTY.origin, name: number): void {
  const { bytes } = slots.names;
  records.party(party, bytes, addressOffset(bytes, name), addressSize(bytes, name), portAt(bytes, name));
}
