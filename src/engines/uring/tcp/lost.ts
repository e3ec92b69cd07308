/**
 * A side that is dead: reset by its peer, or given up by the system. What came from it before is delivered first, as long
 * as the other side takes it, and only then is the reset passed on; what is meant for it is read and dropped, so that a side
 * that writes before it reads is not held up. Both relays of bytes
 * (stream.ts, splice.ts) say here what they find dead; nothing here is on the way of a connection that ends in order.
 */
import { getsockopt } from '../../../linux/ffi/libc.ts';
import { IPPROTO_TCP, TCP_CLOSE, TCP_INFO } from '../../../linux/abi.ts';
import { STALLED_MS } from '../../flow/behaviour.ts';
import { CAUSE } from '../worker/counters.ts';
import { arm, finish } from './relay.ts';
import type { Relay } from './relay.ts';
import { BULK, BULK_WANTED, DEAD, ENDED, HUNGRY, READING, RELAYING, RESET, SENDING, SETTLING } from './slots.ts';
import { leaveBulk } from './splice.ts';
import { flush, startReading } from './stream.ts';

/** struct tcp_info: state, unacknowledged segments, bytes acknowledged (their low word), bytes not sent. */
const INFO = new Uint8Array(160);
const WORDS = new Uint32Array(INFO.buffer);
const [UNACKED, ACKED, UNSENT] = [24 >> 2, 120 >> 2, 144 >> 2];
const LENGTH = new Int32Array(1);

/** Nothing can be written to this side any more. Its own direction goes on until nothing more comes of it. */
export function lost(r: Relay, slot: number, side: number): void {
  const { slots: s } = r;
  const from = 2 * slot + side;
  const towards = from ^ 1;
  if (s.state[slot] !== RELAYING) return finish(r, slot, causeOf(side), true);
  // The other one is dead already.
  if ((s.flags[towards]! & RESET) !== 0) return finish(r, slot, causeOf(side ^ 1), true);
  if ((s.flags[from]! & RESET) !== 0) return;
  s.flags[from]! |= RESET;
  abandon(r, towards);
  s.seenAt[slot] = r.now;
  arm(r, slot);
  if ((s.flags[from]! & ENDED) !== 0) flush(r, from);
}

/** The source of direction k is dead, and all that came from it has been read. */
export function brokenOff(r: Relay, k: number): void {
  const { slots: s } = r;
  const slot = k >> 1;
  const generation = s.generation[slot];
  lost(r, slot, k & 1);
  if (s.generation[slot] !== generation) return;
  s.flags[k]! |= ENDED;
  if ((s.flags[k]! & BULK) !== 0 && s.inPipe[k] === 0) leaveBulk(r, k);
  flush(r, k);
}

/** The destination of direction k is dead: nothing of it is kept. */
function abandon(r: Relay, k: number): void {
  const { slots: s } = r;
  if ((s.flags[k]! & BULK) !== 0) leaveBulk(r, k);
  s.flags[k] = (s.flags[k]! & ~BULK_WANTED) | DEAD;
  if ((s.flags[k] & SENDING) === 0) dropQueue(r, k);
  drain(r, k);
}

/** Reads direction k, whose destination is dead, to drop what comes. */
export function drain(r: Relay, k: number): void {
  if ((r.slots.flags[k]! & (READING | ENDED | HUNGRY)) === 0) startReading(r, k);
}

/** Nothing of it is with the kernel. */
export function dropQueue(r: Relay, k: number): void {
  const { slots: s, buffers } = r;
  for (let buffer = s.head[k]!; buffer >= 0;) {
    const next = buffers.next[buffer]!;
    buffers.give(buffer);
    buffer = next;
  }
  s.head[k] = s.tail[k] = -1;
  s.queued[k] = 0;
}

/** All of direction k is in the socket of its destination. A reset drops what is there, so it waits until that has it. */
export function settle(r: Relay, k: number): void {
  const { slots: s } = r;
  const slot = k >> 1;
  const cause = causeOf(k & 1);
  LENGTH[0] = INFO.length;
  const refused = getsockopt(s.fd[k ^ 1]!, IPPROTO_TCP, TCP_INFO, INFO, LENGTH) < 0;
  const left = WORDS[UNACKED]! + WORDS[UNSENT]!;
  if (refused || INFO[0] === TCP_CLOSE || left === 0) return finish(r, slot, cause, true);
  const acked = WORDS[ACKED]! | 0;
  if ((s.flags[k]! & SETTLING) === 0) {
    s.settles(k);
    s.seenAt[slot] = r.now;
  } else if (acked !== s.last[k]) s.seenAt[slot] = r.now;
  else if (r.now - s.seenAt[slot]! >= STALLED_MS) return finish(r, slot, cause, true);
  s.last[k] = acked;
  arm(r, slot);
}

export function causeOf(side: number): number {
  return side === 0 ? CAUSE['client-reset'] : CAUSE['origin-reset'];
}
