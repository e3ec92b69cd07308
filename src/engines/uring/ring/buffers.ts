/**
 * A pool of equal buffers, of which the kernel always holds a few (a provided-buffer ring): a receive takes one when data
 * is there, so a connection that waits holds none. The rest lies on a stack in our hands, last used first: memory is
 * touched only as far as load needs it, stays warm, and goes back to the machine some time after a peak. Buffers also link
 * into queues, without garbage. It refuses to know what is in them. Made once for TCP and once for UDP.
 *
 * Invariant: every buffer is in exactly one place: the stack, the kernel's ring, a queue, or a send under way.
 */
import { mapPages, releasePages, unmap, writePointer } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { IORING_REGISTER_PBUF_RING } from './abi.ts';
import type { Ring } from './ring.ts';

export interface BufferShape {
  /** The group id by which receives name the pool. */
  readonly group: number;
  /** Usable bytes of each: one receive takes no more. */
  readonly size: number;
  /** Bytes kept free in front of each, for a header that is known only after the data. */
  readonly headroom: number;
  readonly count: number;
}

/** limit: the kernel holds at least so many; one batch of completions rarely takes more, and more would go cold. */
const LEAST_PROVIDED = 64;
/** limit: a peak ends every receive that finds no buffer, so it should come seldom; memory can wait ten seconds. */
const TICKS_OF_PEAK = 40;
/** limit: at most as many buffers go back at once, which takes the worker a millisecond or less. */
const RELEASED_AT_ONCE = 256;
const RING_ENTRY_BYTES = 16;

export class BufferPool {
  readonly size: number;
  /** Bytes received into buffer b, and where its unsent part starts (an offset into `memory`). */
  readonly length: Int32Array;
  readonly start: Int32Array;
  /** The next buffer of the queue that b is in; -1 at its end. */
  readonly next: Int32Array;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly slab: Slab;
  readonly #headroom: number;
  readonly #stride: number;
  readonly #stack: Uint16Array;
  #free = 0;
  /** The least that was free since releaseUnused() last looked: buffers below it on the stack have not been used. */
  #least = 0;
  /** Buffers below this on the stack have no memory; by buffer: 1 where it may have some. */
  #released = 0;
  readonly #touched: Uint8Array;

  private constructor({ size, headroom, count }: BufferShape, slab: Slab) {
    this.size = size;
    this.#headroom = headroom;
    this.memory = new Uint8Array(slab.buffer);
    this.slab = slab;
    this.length = new Int32Array(count);
    this.start = new Int32Array(count);
    this.next = new Int32Array(count).fill(-1);
    this.#stride = size + headroom;
    this.#stack = new Uint16Array(count);
    this.#touched = new Uint8Array(count);
    for (let b = count - 1; b >= 0; b--) this.#stack[this.#free++] = b;
    this.#least = this.#released = this.#free;
  }

  /** Minus the errno where there is no memory. */
  static create(shape: BufferShape): BufferPool | number {
    const slab = mapPages((shape.size + shape.headroom) * shape.count);
    return typeof slab === 'number' ? slab : new BufferPool(shape, slab);
  }

  /** One for our own use; -1: there is none. Its bytes are where `offset` says. */
  take(): number {
    if (this.#free === 0) return -1;
    const buffer = this.#stack[--this.#free]!;
    this.#least = Math.min(this.#least, this.#free);
    this.#touched[buffer] = 1;
    this.next[buffer] = -1;
    return buffer;
  }

  give(buffer: number): void {
    this.#stack[this.#free++] = buffer;
  }

  /** Where the buffer's bytes begin in `memory`. */
  offset(buffer: number): number {
    return buffer * this.#stride + this.#headroom;
  }

  get free(): number {
    return this.#free;
  }

  /** Memory of buffers that nobody took since the last call goes back to the machine. */
  releaseUnused(): void {
    const from = Math.min(this.#released, this.#least);
    const to = Math.min(this.#least, from + RELEASED_AT_ONCE);
    for (let i = from; i < to; i++) this.#touched[this.#stack[i]!] = 0;
    for (let i = from; i < to; i++) this.#releaseOne(this.#stack[i]!);
    this.#released = to;
    this.#least = this.#free;
  }

  /** A page that it shares with a neighbour goes with the last of the two. */
  #releaseOne(buffer: number): void {
    const first = buffer > 0 && this.#touched[buffer - 1] === 0 ? buffer - 1 : buffer;
    const last = this.#touched[buffer + 1] === 0 ? buffer + 1 : buffer;
    releasePages(this.slab, first * this.#stride, (last + 1 - first) * this.#stride);
  }

  /** After the ring is closed. */
  release(): void {
    unmap(this.slab);
  }
}

/** Takes the buffer out of its chain, whose next one is the answer. */
export function detach({ next }: Pick<BufferPool, 'next'>, buffer: number): number {
  const after = next[buffer]!;
  next[buffer] = -1;
  return after;
}

/** Gives back the buffer and all that follow it; −1: none. */
export function giveChain(buffers: BufferPool, first: number): void {
  for (let buffer = first; buffer >= 0;) {
    const next = buffers.next[buffer]!;
    buffers.give(buffer);
    buffer = next;
  }
}

/** The kernel's share of a pool: receives take from it, and name it by its group. It grows when they find it empty. */
export class ProvidedBuffers {
  readonly group: number;
  readonly #pool: BufferPool;
  readonly #count: number;
  readonly #entries: Slab;
  readonly #ring32: Int32Array;
  readonly #ring16: Uint16Array;
  readonly #mask: number;
  #tail = 0;
  #provided = 0;
  #level = LEAST_PROVIDED;
  #peak = TICKS_OF_PEAK;

  private constructor(pool: BufferPool, { group, count }: BufferShape, entries: Slab) {
    this.group = group;
    this.#pool = pool;
    this.#count = count;
    this.#entries = entries;
    this.#ring32 = new Int32Array(entries.buffer);
    this.#ring16 = new Uint16Array(entries.buffer);
    this.#mask = count - 1;
  }

  /** The pool's `count` is a power of two up to 32,768. Minus the errno where the kernel refuses. */
  static create(ring: Ring, pool: BufferPool, shape: BufferShape): ProvidedBuffers | number {
    const entries = mapPages(shape.count * RING_ENTRY_BYTES);
    if (typeof entries === 'number') return entries;
    // struct io_uring_buf_reg { ring_addr, ring_entries, bgid, … }
    const registration = new BigUint64Array(5);
    registration[0] = BigInt(entries.address);
    registration[1] = BigInt(shape.count) | (BigInt(shape.group) << 32n);
    const refused = ring.register(IORING_REGISTER_PBUF_RING, registration, 1);
    if (refused < 0) return refused;
    const provided = new ProvidedBuffers(pool, shape, entries);
    provided.provide();
    return provided;
  }

  /** Tops up the kernel's share. Called once per batch; cheap when there is nothing to do. */
  provide(): void {
    const pool = this.#pool;
    if (this.#provided >= this.#level || pool.free === 0) return;
    const ring32 = this.#ring32;
    while (this.#provided < this.#level && pool.free > 0) {
      const buffer = pool.take();
      const at = (this.#tail & this.#mask) << 2;
      writePointer(ring32, at, pool.slab, pool.offset(buffer));
      ring32[at + 2] = pool.size;
      this.#ring16[(at << 1) + 6] = buffer;
      this.#tail = (this.#tail + 1) & 0xffff;
      this.#provided++;
    }
    // order: the tail is published after the entries. x86-64 keeps stores in order; elsewhere the enter call that
    // follows is a barrier, and the kernel reads the ring only inside it (DEFER_TASKRUN).
    this.#ring16[7] = this.#tail;
  }

  /** The kernel put `length` bytes into `buffer`. */
  received(buffer: number, length: number): void {
    const pool = this.#pool;
    this.#provided--;
    pool.length[buffer] = length;
    pool.start[buffer] = pool.offset(buffer);
    pool.next[buffer] = -1;
  }

  /** A receive found no buffer: the kernel gets more of them from now on. False: there are none left to give. */
  starved(): boolean {
    this.#level = Math.min(this.#level * 2, this.#count);
    this.#peak = TICKS_OF_PEAK;
    this.provide();
    return this.#provided > 0;
  }

  /** Called on the slow tick: some time after a peak the kernel's share shrinks again, and so does the pool's memory. */
  relax(): void {
    if (--this.#peak > 0) return;
    this.#peak = TICKS_OF_PEAK;
    this.#level = Math.max(LEAST_PROVIDED, this.#level >> 1);
    this.#pool.releaseUnused();
  }

  /** After the ring is closed. */
  release(): void {
    unmap(this.#entries);
  }
}
