/**
 * Bursts: datagrams of one sender that the kernel hands over as one (UDP_GRO), as it got them from a card or from a sender
 * that wrote them as one (UDP_SEGMENT). All have the same size but the last, which may be shorter. A burst that nothing has
 * to be added to leaves as it came (gather.ts); any other is taken apart here.
 */
import { setsockopt } from '../../../linux/ffi/libc.ts';
import { SOL_UDP, UDP_GRO } from '../../../linux/abi.ts';
import type { BufferPool } from '../ring/buffers.ts';
import { RECVMSG_OUT } from '../worker/shape.ts';

const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

/** From now on bursts may come; where the kernel knows none (before 5.0) none do. */
export function takeBursts(fd: number, on: boolean): void {
  setsockopt(fd, SOL_UDP, UDP_GRO, on ? ON : OFF, 4);
}

/** struct io_uring_recvmsg_out: bytes of control data that were written. */
const CONTROL_LENGTH_WORD = 1;
/** struct cmsghdr { len (8), level, type }, then the value. UDP_GRO is the only one that was asked for. */
const VALUE_WORD = 4;

/** The size of each datagram of the burst that was received at `start`, sender's address in `nameRoom` bytes; 0: it is one datagram. */
export function segmentOf(words: Int32Array, start: number, nameRoom: number): number {
  if (words[(start >> 2) + CONTROL_LENGTH_WORD] === 0) return 0;
  return words[((start + RECVMSG_OUT + nameRoom) >> 2) + VALUE_WORD]!;
}

export const datagramsOf = (length: number, segment: number): number =>
  segment > 0 ? Math.max(1, Math.ceil(length / segment)) : 1;

/**
 * The burst's datagrams, each in a buffer of its own, as a chain that begins with `buffer`; each has as much room in front
 * as the first. How many found no buffer and are gone.
 */
export function takeApart(buffers: BufferPool, buffer: number, segment: number): number {
  const { memory, start, length, next } = buffers;
  const from = start[buffer]!;
  const room = from - buffers.offset(buffer);
  const end = from + length[buffer]!;
  length[buffer] = Math.min(segment, length[buffer]!);
  let tail = buffer;
  for (let at = from + segment; at < end; at += segment) {
    const part = buffers.take();
    if (part < 0) return Math.ceil((end - at) / segment);
    const to = Math.min(at + segment, end);
    start[part] = buffers.offset(part) + room;
    length[part] = to - at;
    memory.copyWithin(start[part], at, to);
    next[tail] = part;
    tail = part;
  }
  return 0;
}
