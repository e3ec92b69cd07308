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
  readonly group: number;
  /** Bytes received into buffer b, and where its unsent part starts (an offset into `memory`). */
  readonly length: Int32Array;
  readonly start: Int32Array;
  /** The next buffer of the queue that b is in; -1 at its end. */
  readonly next: Int32Array;
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly slab: Slab;
  readonly #headroom: number;
  readonly #stride: number;
  readonly #count: number;
  readonly #slabs: readonly Slab[];
  readonly #ring32: Int32Array;
  readonly #ring16: Uint16Array;
  readonly #mask: number;
  readonly #stack: Uint16Array;
  #free = 0;
  /** The least that was free since relax() last looked: buffers below it on the stack have not been used. */
  #least = 0;
  /** Buffers below this on the stack have no memory; by buffer: 1 where it may have some. */
  #released = 0;
  readonly #touched: Uint8Array;
  #tail = 0;
  #provided = 0;
  #level = LEAST_PROVIDED;
  #peak = TICKS_OF_PEAK;

  private constructor(shape: BufferShape, memory: Slab, entries: Slab) {
    this.size = shape.size;
    this.#headroom = shape.headroom;
    this.group = shape.group;
    this.memory = new Uint8Array(memory.buffer);
    this.slab = memory;
    this.length = new Int32Array(shape.count);
    this.start = new Int32Array(shape.count);
    this.next = new Int32Array(shape.count).fill(-1);
    this.#stride = shape.size + shape.headroom;
    this.#count = shape.count;
    this.#slabs = [memory, entries];
    this.#ring32 = new Int32Array(entries.buffer);
    this.#ring16 = new Uint16Array(entries.buffer);
    this.#mask = shape.count - 1;
    this.#stack = new Uint16Array(shape.count);
    this.#touched = new Uint8Array(shape.count);
    for (let b = shape.count - 1; b >= 0; b--) this.#stack[this.#free++] = b;
    this.#least = this.#released = this.#free;
  }

  /** `count` is a power of two up to 32,768. Minus the errno where the kernel refuses. */
  static create(ring: Ring, shape: BufferShape): BufferPool | number {
    const memory = mapPages((shape.size + shape.headroom) * shape.count);
    if (typeof memory === 'number') return memory;
    const entries = mapPages(shape.count * RING_ENTRY_BYTES);
    if (typeof entries === 'number') return entries;
    // struct io_uring_buf_reg { ring_addr, ring_entries, bgid, … }
    const registration = new BigUint64Array(5);
    registration[0] = BigInt(entries.address);
    registration[1] = BigInt(shape.count) | (BigInt(shape.group) << 32n);
    const refused = ring.register(IORING_REGISTER_PBUF_RING, registration, 1);
    if (refused < 0) return refused;
    const pool = new BufferPool(shape, memory, entries);
    pool.provide();
    return pool;
  }

  /** Tops up the kernel's share. Called once per batch; cheap when there is nothing to do. */
  provide(): void {
    if (this.#provided >= this.#level || this.#free === 0) return;
    const ring32 = this.#ring32;
    while (this.#provided < this.#level && this.#free > 0) {
      const buffer = this.#stack[--this.#free] ?? 0;
      const at = (this.#tail & this.#mask) << 2;
      this.#touched[buffer] = 1;
      writePointer(ring32, at, this.slab, this.offset(buffer));
      ring32[at + 2] = this.size;
      this.#ring16[(at << 1) + 6] = buffer;
      this.#tail = (this.#tail + 1) & 0xffff;
      this.#provided++;
    }
    this.#least = Math.min(this.#least, this.#free);
    // order: the tail is published after the entries. x86-64 keeps stores in order; elsewhere the enter call that
    // follows is a barrier, and the kernel reads the ring only inside it (DEFER_TASKRUN).
    this.#ring16[7] = this.#tail;
  }

  /** The kernel put `length` bytes into `buffer`. */
  received(buffer: number, length: number): void {
    this.#provided--;
    this.length[buffer] = length;
    this.start[buffer] = this.offset(buffer);
    this.next[buffer] = -1;
  }

  /** A receive found no buffer: the kernel gets more of them from now on. False: there are none left to give. */
  starved(): boolean {
    this.#level = Math.min(this.#level * 2, this.#count);
    this.#peak = TICKS_OF_PEAK;
    this.provide();
    return this.#provided > 0;
  }

  /** Called on the slow tick: some time after a peak the kernel's share shrinks again, and so does our memory. */
  relax(): void {
    if (--this.#peak > 0) return;
    this.#peak = TICKS_OF_PEAK;
    this.#level = Math.max(LEAST_PROVIDED, this.#level >> 1);
    this.#release();
  }

  #release(): void {
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

  /** Takes the buffer out of its chain, whose next one is the answer. */
  detach(buffer: number): number {
    const next = this.next[buffer]!;
    this.next[buffer] = -1;
    return next;
  }

  /** The buffer and all that follow it; −1: none. */
  giveChain(first: number): void {
    for (let buffer = first; buffer >= 0;) {
      const next = this.next[buffer]!;
      this.give(buffer);
      buffer = next;
    }
  }

  /** Where the buffer's bytes begin in `memory`. */
  offset(buffer: number): number {
    return buffer * this.#stride + this.#headroom;
  }

  get free(): number {
    return this.#free;
  }

  /** After the ring is closed. */
  release(): void {
    for (const slab of this.#slabs) unmap(slab);
  }
}
