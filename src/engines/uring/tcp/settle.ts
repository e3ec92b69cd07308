/**
 * The last step of a connection with a dead side: a reset drops what its destination's socket still holds, so it waits until
 * the peer has acknowledged all of it. It refuses to wait for ever. Called by direction.ts when everything is in that
 * socket, and then by timers.ts every SETTLE_MS.
 */
import { getsockopt } from '../../../linux/ffi/libc.ts';
import { STALLED_MS } from '../../flow/behaviour.ts';
import { IPPROTO_TCP, TCP_CLOSE, TCP_INFO } from '../../../linux/abi.ts';
import { arm, finish, resetCause } from './connection.ts';
import type { Tcp } from './connection.ts';
import { SETTLING } from './slots.ts';

/** struct tcp_info: state, unacknowledged segments, bytes acknowledged (their low word), bytes not sent. */
const INFO = new Uint8Array(160);
const WORDS = new Uint32Array(INFO.buffer);
const UNACKED = 24 >> 2;
const ACKED = 120 >> 2;
const UNSENT = 144 >> 2;
const LENGTH = new Int32Array(1);

/** All of direction k is in the socket of its destination. */
export function settle(t: Tcp, k: number): void {
  const { slots: s, clock } = t;
  const { directions: d, lives } = s;
  const slot = k >> 1;
  const cause = resetCause(k & 1);
  LENGTH[0] = INFO.length;
  const refused = getsockopt(d.fd[k ^ 1]!, IPPROTO_TCP, TCP_INFO, INFO, LENGTH) < 0;
  const left = WORDS[UNACKED]! + WORDS[UNSENT]!;
  if (refused || INFO[0] === TCP_CLOSE || left === 0) return finish(t, slot, cause, true);
  const acked = WORDS[ACKED]! | 0;
  if ((d.flags[k]! & SETTLING) === 0) {
    d.flags[k]! |= SETTLING;
    s.urgent++;
    lives.seenAt[slot] = clock.now;
  } else if (acked !== d.last[k]) lives.seenAt[slot] = clock.now;
  else if (clock.now - lives.seenAt[slot]! >= STALLED_MS) return finish(t, slot, cause, true);
  d.last[k] = acked;
  arm(t, slot);
}
