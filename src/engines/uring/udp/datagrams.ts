/**
 * Where a worker's datagrams lie while they are here: buffers, each with one datagram or with a burst. A burst is several
 * datagrams of one sender that the kernel hands over as one (GRO), as it got them from a card or from a sender that wrote
 * them as one (GSO). All have the same size but the last, which may be shorter. A burst that needs no header leaves as it
 * came (gso.ts); any other is taken apart here. It refuses to receive and to send.
 */
import { mapPages, setsockopt, unmap } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { SOL_UDP, UDP_GRO } from '../../../linux/abi.ts';
import { BufferPool, ProvidedBuffers } from '../ring/buffers.ts';
import type { Ring } from '../ring/ring.ts';
import { CONTROL_ROOM, NAME_ROOM, RECVMSG_OUT, UDP_BUFFERS } from '../worker/memory.ts';

/** struct msghdr: only its msg_namelen and msg_controllen say something. */
const MSGHDR_BYTES = 64;
const NAMELEN_WORD = 2;
const CONTROLLEN_WORD = 10;
/** Where the messages of receives lie: one for clients, one for origins, whose address is known. */
export const CLIENT_MESSAGE = 0;
export const ORIGIN_MESSAGE = MSGHDR_BYTES;

/** struct io_uring_recvmsg_out: bytes of control data that were written. */
const CONTROL_LENGTH_WORD = 1;
/** struct cmsghdr { len (8), level, type }, then the value. UDP_GRO is the only one that was asked for. */
const VALUE_WORD = 4;

const ON = Int32Array.of(1);
const OFF = Int32Array.of(0);

export class Datagrams {
  readonly buffers: BufferPool;
  readonly provided: ProvidedBuffers;
  /** The buffers' memory as words, in which senders' addresses are compared. */
  readonly words: Int32Array;
  /** Bytes of each datagram where buffer b holds a burst; 0: it holds one datagram. */
  readonly segment = new Uint16Array(UDP_BUFFERS.count);
  /** The struct msghdr of receives. */
  readonly messages: Slab;
  /** Receives that found no buffer: entries as they are, sessions as −1 − session. */
  readonly hungry: number[] = [];
  /** Nothing is received: another process is about to. */
  isPaused = false;

  constructor(ring: Ring) {
    const buffers = BufferPool.create(UDP_BUFFERS);
    const provided = typeof buffers === 'number' ? buffers : ProvidedBuffers.create(ring, buffers, UDP_BUFFERS);
    const messages = mapPages(2 * MSGHDR_BYTES);
    if (typeof buffers === 'number' || typeof provided === 'number' || typeof messages === 'number')
      throw new Error('no memory for datagrams');
    this.buffers = buffers;
    this.provided = provided;
    this.words = new Int32Array(buffers.memory.buffer);
    this.messages = messages;
    const described = new Int32Array(messages.buffer);
    described[NAMELEN_WORD] = NAME_ROOM;
    described[CONTROLLEN_WORD] = described[(ORIGIN_MESSAGE >> 2) + CONTROLLEN_WORD] = CONTROL_ROOM;
  }

  /** `buffer` holds `size` bytes from `start` on, in datagrams of `each`; 0: it is one. */
  describe(buffer: number, start: number, size: number, each: number): void {
    this.buffers.start[buffer] = start;
    this.buffers.length[buffer] = size;
    this.segment[buffer] = each < size ? each : 0;
  }

  /** The datagrams in a buffer. */
  count(buffer: number): number {
    return datagramsOf(this.buffers.length[buffer]!, this.segment[buffer]!);
  }

  release(): void {
    this.provided.release();
    this.buffers.release();
    unmap(this.messages);
  }
}

/** From now on bursts may come; where the kernel knows none (before 5.0) none do. */
export function takeBursts(fd: number, on: boolean): void {
  setsockopt(fd, SOL_UDP, UDP_GRO, on ? ON : OFF, 4);
}

/** The size of each datagram of the burst that was received at `start`, sender's address in `nameRoom` bytes; 0: it is one datagram. */
export function segmentOf(words: Int32Array, start: number, nameRoom: number): number {
  if (words[(start >> 2) + CONTROL_LENGTH_WORD] === 0) return 0;
  return words[((start + RECVMSG_OUT + nameRoom) >> 2) + VALUE_WORD]!;
}

/** How many datagrams so many bytes are, in segments of that size; 0: one. */
export const datagramsOf = (length: number, segment: number): number =>
  segment > 0 ? Math.max(1, Math.ceil(length / segment)) : 1;

/** As much of a pool as taking a burst apart needs. */
type Parts = Pick<BufferPool, 'memory' | 'start' | 'length' | 'next' | 'take' | 'offset'>;

/**
 * The burst's datagrams, each in a buffer of its own, as a chain that begins with `buffer`; each has as much room in front
 * as the first. How many found no buffer and are gone.
 */
export function takeApart(buffers: Parts, buffer: number, segment: number): number {
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
