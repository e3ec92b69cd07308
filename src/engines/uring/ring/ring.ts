/**
 * One io_uring: the two queues as typed arrays, filled and read without a call; enter() is the only system call of the
 * relay's loop. It knows queue entries, not what they mean (operations.ts does). The thread that creates a Ring is the
 * only one that may touch it (SINGLE_ISSUER); the memory that close() frees must not be read again. Made by worker/relay.ts, and by the
 * probe.
 */
import { EBUSY } from '../../../linux/abi.ts';
import {
  close,
  mapPages,
  mapShared,
  registerCall,
  syscall,
  syscallWithMemory,
  unmap,
} from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import {
  IORING_ENTER_EXT_ARG,
  IORING_ENTER_GETEVENTS,
  IORING_ENTER_REGISTERED_RING,
  IORING_OFF_SQES,
  IORING_OFF_SQ_RING,
  IORING_REGISTER_RING_FDS,
  IORING_SETUP_CLAMP,
  IORING_SETUP_COOP_TASKRUN,
  IORING_SETUP_CQSIZE,
  IORING_SETUP_DEFER_TASKRUN,
  IORING_SETUP_SINGLE_ISSUER,
  IORING_SETUP_SUBMIT_ALL,
  SYS_IO_URING_ENTER,
  SYS_IO_URING_REGISTER,
  SYS_IO_URING_SETUP,
} from './abi.ts';

const SETUP =
  IORING_SETUP_CQSIZE |
  IORING_SETUP_CLAMP |
  IORING_SETUP_SUBMIT_ALL |
  IORING_SETUP_COOP_TASKRUN |
  IORING_SETUP_SINGLE_ISSUER |
  IORING_SETUP_DEFER_TASKRUN;

// struct io_uring_params, as 32-bit words
const PARAMS_WORDS = 30;
const PARAMS = { sqEntries: 0, cqEntries: 1, flags: 2, sqOff: 10, cqOff: 20 };
const SQ_OFF = { tail: 1, mask: 2, array: 6 };
const CQ_OFF = { head: 0, tail: 1, mask: 2, cqes: 5 };
const SQE_WORDS = 16;
const SQE_BYTES = 64;
const CQE_BYTES = 16;
// struct io_uring_getevents_arg
const WAIT_BYTES = 24;

/** limit: the completion queue holds 4 completions per submission, since one multishot receive completes many times. */
const CQ_FACTOR = 4;

/** Word offsets inside a submission entry, for the fields that sqe() does not take. */
export const SQE = {
  off: 2,
  offHigh: 3,
  addr: 4,
  addrHigh: 5,
  len: 6,
  opFlags: 7,
  bufGroup: 10,
  spliceFd: 11,
  addr3: 12,
} as const;

export class Ring {
  /** Submission entries, 16 words each. */
  readonly sqes: Int32Array;
  /** Completion entries, 4 words each: user_data (2), res, flags. */
  readonly cqes: Int32Array;
  readonly cqMask: number;
  readonly #fd: number;
  readonly #words: Int32Array;
  readonly #sqTailAt: number;
  readonly #sqMask: number;
  readonly #sqEntries: number;
  readonly #cqHeadAt: number;
  readonly #cqTailAt: number;
  readonly #wait: Slab;
  readonly #waitTime: Int32Array;
  readonly #slabs: readonly Slab[];
  /** The ring's name for enter(): its place in the thread's own table where there is one, else the descriptor. */
  readonly #handle: number;
  readonly #enterFlags: number;
  #tail = 0;
  #pending = 0;

  private constructor(fd: number, params: Uint32Array, rings: Slab, entries: Slab, wait: Slab) {
    const at = (word: number): number => params[word] ?? 0;
    this.#fd = fd;
    this.#slabs = [rings, entries, wait];
    this.#words = new Int32Array(rings.buffer, 0, rings.buffer.byteLength >> 2);
    this.#sqEntries = at(PARAMS.sqEntries);
    this.#sqTailAt = at(PARAMS.sqOff + SQ_OFF.tail) >> 2;
    this.#sqMask = this.#words[at(PARAMS.sqOff + SQ_OFF.mask) >> 2] ?? 0;
    // The indirection array is never used: entry i of the queue is submission entry i, for ever.
    const array = at(PARAMS.sqOff + SQ_OFF.array) >> 2;
    for (let i = 0; i < this.#sqEntries; i++) this.#words[array + i] = i;
    this.#cqHeadAt = at(PARAMS.cqOff + CQ_OFF.head) >> 2;
    this.#cqTailAt = at(PARAMS.cqOff + CQ_OFF.tail) >> 2;
    this.cqMask = this.#words[at(PARAMS.cqOff + CQ_OFF.mask) >> 2] ?? 0;
    this.cqes = new Int32Array(rings.buffer, at(PARAMS.cqOff + CQ_OFF.cqes), at(PARAMS.cqEntries) * 4);
    this.sqes = new Int32Array(entries.buffer);
    // struct io_uring_getevents_arg at 0 { sigmask, sigmask_sz, pad, ts }, struct __kernel_timespec at 64
    this.#wait = wait;
    this.#waitTime = new Int32Array(wait.buffer, 64, 4);
    new BigInt64Array(wait.buffer, 0, 3)[2] = BigInt(wait.address + 64);
    const place = this.#registerSelf();
    this.#handle = place < 0 ? fd : place;
    this.#enterFlags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | (place < 0 ? 0 : IORING_ENTER_REGISTERED_RING);
  }

  /** A ring of at least `entries` submissions, or minus the errno of what refused it. */
  static create(entries: number): Ring | number {
    const params = new Uint32Array(PARAMS_WORDS);
    params[PARAMS.flags] = SETUP;
    params[PARAMS.cqEntries] = entries * CQ_FACTOR;
    const fd = syscallWithMemory(SYS_IO_URING_SETUP, entries, params, 0, 0);
    if (fd < 0) return fd;
    const word = (at: number): number => params[at] ?? 0;
    const sqBytes = word(PARAMS.sqOff + SQ_OFF.array) + word(PARAMS.sqEntries) * 4;
    const cqBytes = word(PARAMS.cqOff + CQ_OFF.cqes) + word(PARAMS.cqEntries) * CQE_BYTES;
    const rings = mapShared(fd, Math.max(sqBytes, cqBytes), IORING_OFF_SQ_RING);
    const sqes = mapShared(fd, word(PARAMS.sqEntries) * SQE_BYTES, IORING_OFF_SQES);
    const wait = mapPages(4096);
    if (typeof rings !== 'number' && typeof sqes !== 'number' && typeof wait !== 'number')
      return new Ring(fd, params, rings, sqes, wait);
    close(fd);
    for (const slab of [rings, sqes, wait]) if (typeof slab !== 'number') unmap(slab);
    return [rings, sqes, wait].find((slab) => typeof slab === 'number') ?? -EBUSY;
  }

  get fd(): number {
    return this.#fd;
  }

  /** The word index of a fresh submission entry with the common fields set and all others zero. */
  sqe(op: number, flags: number, ioprio: number, fd: number, userLow: number, userHigh: number): number {
    if (this.#pending === this.#sqEntries) this.enter(0, 0);
    const s = this.sqes;
    const i = (this.#tail & this.#sqMask) * SQE_WORDS;
    this.#tail = (this.#tail + 1) | 0;
    this.#pending++;
    s[i] = op | (flags << 8) | (ioprio << 16);
    s[i + 1] = fd;
    s[i + 2] = 0;
    s[i + 3] = 0;
    s[i + 4] = 0;
    s[i + 5] = 0;
    s[i + 6] = 0;
    s[i + 7] = 0;
    s[i + 8] = userLow;
    s[i + 9] = userHigh;
    s[i + 10] = 0;
    s[i + 11] = 0;
    s[i + 12] = 0;
    s[i + 13] = 0;
    return i;
  }

  /**
   * Submits what is pending and, with `least` > 0, waits for that many completions or `waitMs`. Errors of the call itself
   * are not errors of an operation: it was interrupted, timed out, or the completion queue has to be read first.
   */
  enter(least: number, waitMs: number): number {
    Atomics.store(this.#words, this.#sqTailAt, this.#tail);
    const count = this.#pending;
    this.#waitTime[0] = (waitMs / 1000) | 0;
    this.#waitTime[2] = (waitMs % 1000) * 1_000_000;
    const wait = this.#wait.address;
    const result = syscall(SYS_IO_URING_ENTER, this.#handle, count, least, this.#enterFlags, wait, WAIT_BYTES);
    // A count of submissions wins over how the wait ended: a negative answer means that nothing was submitted.
    if (result > 0) this.#pending -= result;
    return result;
  }

  /** Where the completions end; those from head() to here are valid until advance(). */
  cqTail(): number {
    return Atomics.load(this.#words, this.#cqTailAt);
  }

  cqHead(): number {
    return this.#words[this.#cqHeadAt] ?? 0;
  }

  /** Hands everything before `head` back to the kernel, and says where the completions end now. */
  advance(head: number): number {
    Atomics.store(this.#words, this.#cqHeadAt, head);
    return Atomics.load(this.#words, this.#cqTailAt);
  }

  /** io_uring_register(2): 0 or more, or minus the errno. */
  register(op: number, argument: ArrayBufferView, count: number): number {
    return registerCall(SYS_IO_URING_REGISTER, this.#fd, op, argument, count);
  }

  /** Spares each enter() the look-up of a descriptor that all threads share. */
  #registerSelf(): number {
    // struct io_uring_rsrc_update { offset, resv, data }; offset −1: any place
    const update = new Uint32Array([0xffffffff, 0, this.#fd, 0]);
    return this.register(IORING_REGISTER_RING_FDS, update, 1) === 1 ? (update[0] ?? -1) : -1;
  }

  /** Cancels whatever is under way and gives the memory back. */
  close(): void {
    close(this.#fd);
    for (const slab of this.#slabs) unmap(slab);
  }
}
