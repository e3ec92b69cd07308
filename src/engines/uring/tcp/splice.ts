/**
 * Bytes from one side to the other by a pipe, without a copy through our memory: for streams, and for whoever finds no
 * buffer. splice(2) is called directly, because in the ring it would go to a kernel thread; the ring only waits (poll).
 * A stream that has become a trickle goes back to buffers, which serve small messages at a third of the cost.
 */
import { splice } from '../../../linux/ffi/libc.ts';
import { EAGAIN, POLLIN, POLLOUT, POLLRDHUP, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from '../../../linux/abi.ts';
import { DROP } from '../worker/counters.ts';
import { brokenOff, lost } from './lost.ts';
import { poll } from '../ring/operations.ts';
import { PIPE_BYTES } from '../ring/pipes.ts';
import type { Relay } from './relay.ts';
import { BULK, BULK_WANTED, ENDED, POLLING } from './slots.ts';
import { count, ended, passEnd, startReading } from './stream.ts';

const HOW = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
/** limit: after this many turns others get theirs; one turn moves up to a pipe full. */
const TURNS = 16;
/** limit: half a socket's usual buffer: after less than this the source has been emptied. */
const MUCH_BYTES = 131_072;
/** limit: eight arrivals in a row that brought less than this each are not a stream any more. */
const TRICKLE_BYTES = 16_384;
const TRICKLES = 8;

/** Direction k has nothing queued and is not read. False: no pipe is to be had, go on with buffers. */
export function enterBulk(r: Relay, k: number): boolean {
  const { slots: s } = r;
  const read = r.pipes.take();
  if (read < 0) {
    r.rules.rule(s.rule[k >> 1]!).row[DROP['wait-pipes']]! += 1;
    return false;
  }
  s.pipeRead[k] = read;
  s.pipeWrite[k] = r.pipes.writeEnd;
  s.inPipe[k] = 0;
  s.streak[k] = 0;
  s.flags[k] = (s.flags[k]! & ~BULK_WANTED) | BULK;
  pump(r, k);
  return true;
}

/** A poll of direction k has completed. Errors come out of the next splice, under their own name. */
export function polled(r: Relay, k: number, generation: number): void {
  if (r.slots.generation[k >> 1] !== generation) return;
  r.slots.flags[k]! &= ~POLLING;
  // Its destination is dead.
  if ((r.slots.flags[k]! & BULK) === 0) return;
  pump(r, k);
}

function pump(r: Relay, k: number): void {
  const { slots: s } = r;
  const from = s.fd[k]!;
  const to = s.fd[k ^ 1]!;
  for (let turn = 0; turn < TURNS; turn++) {
    if (s.inPipe[k]! > 0) {
      const out = splice(s.pipeRead[k]!, 0, to, 0, s.inPipe[k]!, HOW);
      if (out < 0 && out !== -EAGAIN) return lost(r, k >> 1, (k & 1) ^ 1);
      if (out > 0) {
        s.inPipe[k]! -= out;
        s.seenAt[k >> 1] = r.now;
      }
      if (s.inPipe[k]! > 0) return wait(r, k, to, POLLOUT);
    }
    if ((s.flags[k]! & ENDED) !== 0) {
      leaveBulk(r, k);
      return passEnd(r, k);
    }
    // Little came last time, so nothing more is there now: the ring's poll asks for less than a call would cost.
    if (turn > 0 && s.last[k]! < MUCH_BYTES) return wait(r, k, from, POLLIN | POLLRDHUP);
    const got = splice(from, 0, s.pipeWrite[k]!, 0, PIPE_BYTES, HOW);
    if (got === -EAGAIN) return wait(r, k, from, POLLIN | POLLRDHUP);
    if (got < 0) return brokenOff(r, k);
    if (got === 0) ended(r, k);
    else if (!filled(r, k, got)) return;
  }
  // Ready still, very likely: the poll completes at once, behind everybody else who is ready.
  if (s.inPipe[k]! > 0) wait(r, k, to, POLLOUT);
  else wait(r, k, from, POLLIN | POLLRDHUP);
}

/** So many bytes went into the pipe. False: the stream is a trickle now, and the direction has gone back to buffers. */
function filled(r: Relay, k: number, got: number): boolean {
  const { slots: s } = r;
  s.inPipe[k]! += got;
  s.last[k] = got;
  count(r, k, got);
  if (got >= TRICKLE_BYTES) s.streak[k] = 0;
  else if (++s.streak[k]! >= TRICKLES) return back(r, k);
  return true;
}

/** Out of the pipe and back to buffers, if what is in the pipe can go at once. */
function back(r: Relay, k: number): boolean {
  const { slots: s } = r;
  const out = splice(s.pipeRead[k]!, 0, s.fd[k ^ 1]!, 0, s.inPipe[k]!, HOW);
  if (out > 0) s.inPipe[k]! -= out;
  if (s.inPipe[k]! > 0) return true;
  leaveBulk(r, k);
  startReading(r, k);
  return false;
}

function wait(r: Relay, k: number, fd: number, events: number): void {
  r.slots.flags[k]! |= POLLING;
  poll(r.ring, fd, events, k, r.slots.generation[k >> 1]!);
}

export function leaveBulk(r: Relay, k: number): void {
  const { slots: s } = r;
  r.pipes.give(s.pipeRead[k]!, s.pipeWrite[k]!, s.inPipe[k]!);
  s.pipeRead[k] = s.pipeWrite[k] = -1;
  s.streak[k] = 0;
  s.flags[k]! &= ~BULK;
}
