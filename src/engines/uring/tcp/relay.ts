/**
 * What the parts of a worker's TCP relay share, and the only way out of it: finish(). The parts are accept.ts (a
 * connection comes in), dial.ts (an origin is found), stream.ts (bytes by buffers) and splice.ts (bytes by pipes); they
 * are functions over this state, in the manner of the kernel they talk to. LIFECYCLE.md draws who calls whom.
 */
import { CONNECTION_DESCRIPTORS, RECORD_EVERY_MS, SETTLE_MS, STALLED_MS } from '../../flow/behaviour.ts';
import type { Shares } from '../../flow/shares.ts';
import { DUE, NEVER, dueAt } from '../../flow/verdict.ts';
import { setsockopt } from '../../../linux/ffi/libc.ts';
import { SOL_SOCKET, SO_LINGER } from '../../../linux/abi.ts';
import type { Acceptor } from './accept.ts';
import type { Budget } from '../worker/budget.ts';
import type { BufferPool } from '../ring/buffers.ts';
import { ACTIVE, CAUSE, CONNECTIONS, LOST, SAMPLED, countEnd } from '../worker/counters.ts';
import { cancelAll, close } from '../ring/operations.ts';
import type { OptionSetter } from '../ring/options.ts';
import type { Pipes } from '../ring/pipes.ts';
import { causeOf, settle } from './lost.ts';
import { PARTY } from '../worker/records.ts';
import type { RecordWriter } from '../worker/records.ts';
import type { Ring } from '../ring/ring.ts';
import type { Entry } from '../worker/rule.ts';
import type { Rules } from '../worker/rules.ts';
import { BULK, DIALLING, POLLING, READING, RESET, SENDING, SETTLING, WATCHED } from './slots.ts';
import type { Slots } from './slots.ts';
import type { Sources } from './sources.ts';
import { addressOffset, addressSize, portAt } from '../ring/sockaddr.ts';
import type { Toa } from '../toa/announce.ts';
import type { Udp } from '../udp/udp.ts';
import type { Wheel } from '../ring/wheel.ts';

export interface Relay {
  readonly ring: Ring;
  readonly slots: Slots;
  readonly rules: Rules;
  readonly buffers: BufferPool;
  readonly pipes: Pipes;
  readonly budget: Budget;
  /** What sources hold of the budget. */
  readonly shares: Shares;
  readonly wheel: Wheel;
  readonly records: RecordWriter;
  readonly acceptor: Acceptor;
  readonly toa: Toa | undefined;
  readonly setOption: OptionSetter;
  readonly sources: Sources;
  /** Made with the first UDP rule. */
  udp: Udp | undefined;
  readonly sessions: number;
  readonly flowFds: SharedArrayBuffer;
  /** To be called after more memory was mapped. */
  readonly mapped: () => void;
  /** Nothing is under way any more on the socket of a closing entry. */
  readonly entryIdle: (entry: Entry) => void;
  /** Directions that wait for a buffer. */
  readonly hungry: number[];
  /** Milliseconds since 1970, read once per batch. */
  now: number;
  /** Connections and sessions so far: with the worker's name, the number of one is its record's id. */
  taken: number;
}

/** l_onoff = 1, l_linger = 0: close sends RST. */
export const LINGER_ZERO = Int32Array.of(1, 0);

/** Counts and times a connection that was just accepted. */
export function begin(r: Relay, slot: number): void {
  const { slots: s } = r;
  const entry = r.rules.entry(s.entry[slot]!);
  const { rule } = entry;
  s.number[slot] = ++r.taken;
  r.rules.opened(entry);
  rule.row[CONNECTIONS]! += 1;
  rule.row[ACTIVE]! += 1;
  r.shares.add(sourceOf(r, slot), CONNECTION_DESCRIPTORS);
  const oneIn = rule.spec.options.recordOneIn;
  if (oneIn > 0 && rule.seen++ % oneIn === 0) s.recordAt[slot] = r.now + RECORD_EVERY_MS;
}

/**
 * The end of a connection, whatever the reason. With `reset`, both sides learn by RST; otherwise by FIN behind whatever
 * was sent. The slot is free at once: completions that still come carry the old generation.
 */
export function finish(r: Relay, slot: number, cause: number, reset: boolean): void {
  const { slots: s, ring } = r;
  record(r, slot, cause);
  for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
    const fd = s.fd[k]!;
    if (fd < 0) continue;
    if (reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_ZERO, 8);
    // What is under way on a socket holds it open: it reads for its own direction and writes for the other.
    const busy = (s.flags[k]! & (READING | POLLING | WATCHED)) | (s.flags[k ^ 1]! & (SENDING | POLLING));
    if (busy !== 0 || s.state[slot] === DIALLING) cancelAll(ring, fd);
    close(ring, fd);
  }
  for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
    if ((s.flags[k]! & BULK) !== 0) {
      r.pipes.give(s.pipeRead[k]!, s.pipeWrite[k]!, s.inPipe[k]!);
      s.pipeRead[k] = s.pipeWrite[k] = -1;
    }
    // The buffer that the kernel is sending comes back with its completion.
    let buffer = s.head[k]!;
    if ((s.flags[k]! & SENDING) !== 0) buffer = r.buffers.next[buffer]!;
    while (buffer >= 0) {
      const next = r.buffers.next[buffer]!;
      r.buffers.give(buffer);
      buffer = next;
    }
    s.head[k] = s.tail[k] = -1;
  }
  r.wheel.clear(slot);
  const entry = r.rules.entry(s.entry[slot]!);
  entry.rule.row[ACTIVE]! -= 1;
  countEnd(entry.rule.row, cause);
  r.rules.ended(entry);
  r.shares.add(sourceOf(r, slot), -CONNECTION_DESCRIPTORS);
  s.give(slot);
  r.budget.give(CONNECTION_DESCRIPTORS);
  r.acceptor.resume(r);
}

/** Its client's place in the shares. */
function sourceOf({ slots: s, shares }: Relay, slot: number): number {
  const name = s.nameOffset(slot, 0);
  return shares.placeOf(s.names, addressOffset(s.names, name), addressSize(s.names, name));
}

/** Puts the connection's clock to whatever comes first: connect time-out, idle, cut, the minute's record. */
export function arm(r: Relay, slot: number): void {
  const { slots: s } = r;
  const { options } = r.rules.entry(s.entry[slot]!).rule.spec;
  let due =
    s.state[slot] === DIALLING
      ? s.dialledAt[slot]! + options.connectTimeoutMs
      : s.seenAt[slot]! + options.idleSeconds * 1000;
  due = Math.min(due, s.cutAt[slot]!, s.recordAt[slot]!);
  const k = reset(r, slot);
  if (k >= 0) due = Math.min(due, (s.flags[k]! & SETTLING) !== 0 ? r.now + SETTLE_MS : s.seenAt[slot]! + STALLED_MS);
  r.wheel.set(slot, due);
}

/** The clock of a connection that is relaying, or that dials and is to be cut. */
export function tick(r: Relay, slot: number): void {
  const { slots: s } = r;
  const { options } = r.rules.entry(s.entry[slot]!).rule.spec;
  const idleAt = s.state[slot] === DIALLING ? NEVER : s.seenAt[slot]! + options.idleSeconds * 1000;
  const due = dueAt(r.now, s.cutAt[slot]!, idleAt, s.recordAt[slot]!);
  if (due === DUE.drained) return finish(r, slot, CAUSE.drained, true);
  if (due === DUE.idle) return finish(r, slot, CAUSE.idle, true);
  if (due === DUE.record) record(r, slot, -1);
  const k = reset(r, slot);
  if (k >= 0 && (s.flags[k]! & SETTLING) !== 0) settle(r, k);
  else if (k >= 0 && r.now - s.seenAt[slot]! >= STALLED_MS) finish(r, slot, causeOf(k & 1), true);
  else arm(r, slot);
}

/** The direction whose reset waits for a delivery, or -1. */
function reset({ slots: { flags } }: Relay, slot: number): number {
  if ((flags[2 * slot]! & RESET) !== 0) return 2 * slot;
  return (flags[2 * slot + 1]! & RESET) === 0 ? -1 : 2 * slot + 1;
}

/** The record of a connection's end, or of its last minute (cause −1): what does not fit then is told by the next one. */
function record(r: Relay, slot: number, cause: number): void {
  const { slots: s, records } = r;
  const entry = r.rules.entry(s.entry[slot]!);
  const { row, index } = entry.rule;
  if (s.recordAt[slot] === NEVER) {
    row[SAMPLED]! += 1;
    return;
  }
  const k = 2 * slot;
  const bytesIn = s.bytes[k]! - s.recorded[k]!;
  const bytesOut = s.bytes[k + 1]! - s.recorded[k + 1]!;
  s.recordAt[slot] = r.now + RECORD_EVERY_MS;
  if (!records.begin(s.number[slot]!, index, false, cause, s.acceptedAt[slot]!, r.now, bytesIn, bytesOut)) {
    if (cause >= 0) row[LOST]! += 1;
    return;
  }
  s.recorded[k] = s.bytes[k]!;
  s.recorded[k + 1] = s.bytes[k + 1]!;
  const client = s.nameOffset(slot, 0);
  records.party(
    PARTY.client,
    s.names,
    addressOffset(s.names, client),
    addressSize(s.names, client),
    portAt(s.names, client),
  );
  records.party(PARTY.entry, entry.address, 0, entry.address.length, entry.port);
  if (s.state[slot] !== DIALLING) {
    const origin = s.nameOffset(slot, 1);
    records.party(
      PARTY.origin,
      s.names,
      addressOffset(s.names, origin),
      addressSize(s.names, origin),
      portAt(s.names, origin),
    );
  }
  records.commit();
}
