/**
 * The state of every TCP connection of a worker, as columns of numbers: a connection is a slot, a direction is a row of
 * the direction columns (`2 × slot` from the client, `2 × slot + 1` from the origin; a direction reads its own side and
 * writes the other). Taking and giving back a slot allocates nothing. What the states mean and who may change them is in
 * LIFECYCLE.md; this file only keeps them.
 */
import { mapPages, unmap } from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { NEVER } from '../../flow/verdict.ts';
import { NAME_BYTES } from '../ring/sockaddr.ts';

export const FREE = 0;
export const DIALLING = 1;
export const RELAYING = 2;

/** Flags of a direction. */
export const READING = 1 << 0; /** A multishot receive is armed. */
export const STOPPING = 1 << 1; /** … and its cancel is under way. */
export const SENDING = 1 << 2; /** The head of the queue is with the kernel. */
export const ENDED = 1 << 3; /** The source has sent its last byte. */
export const CLOSED = 1 << 4; /** … and that was passed on. */
export const BULK_WANTED = 1 << 5; /** Switch to splice once reading has stopped and the queue is empty. */
export const BULK = 1 << 6; /** Bytes move by splice through the pipe. */
export const POLLING = 1 << 7; /** In bulk: a poll is under way. */
export const HUNGRY = 1 << 8; /** Waits for a buffer. */
export const WATCHED = 1 << 9; /** A poll for errors is under way: the source ended before there was an origin. */
export const RESET = 1 << 10; /** The source is dead; what came from it is delivered first. */
export const DEAD = 1 << 11; /** The destination is: what arrives is dropped. */
export const SETTLING = 1 << 12; /** All is in the destination's socket, which has not delivered it. */

/** In `portRefusals`. */
export const SYSTEM_PORT = 255;

export class Slots {
  readonly capacity: number;
  /** In shared memory, so that the descriptors of a worker that died can be closed: -1 or the descriptor of each side. */
  readonly fd: Int32Array;
  /** Goes up when the slot is given back: a completion that carries an older one belongs to nobody. */
  readonly generation: Uint16Array;
  readonly state: Uint8Array;
  /** Index of the rule, and of the listening socket that accepted. */
  readonly rule: Int32Array;
  readonly entry: Int32Array;
  /** Number of the target, -1 while none is chosen; sockets that were asked for; and how many targets have timed out. */
  readonly target: Int32Array;
  readonly attempt: Uint16Array;
  readonly timeouts: Uint8Array;
  /** Ports of ours that were refused towards this target; SYSTEM_PORT: the system chooses. */
  readonly portRefusals: Uint8Array;
  /** Targets that have failed, of slots with any: most have none. */
  readonly #failed = new Map<number, Set<number>>();
  /**
   * Milliseconds: accepted; this dial began; the first one since accepting or a time-out did; last byte either way; cut at
   * and next record due (NEVER where they are not).
   */
  readonly acceptedAt: Float64Array;
  readonly dialledAt: Float64Array;
  readonly triesFrom: Float64Array;
  readonly seenAt: Float64Array;
  readonly cutAt: Float64Array;
  readonly recordAt: Float64Array;
  /** See Relay.taken. */
  readonly number: Float64Array;
  /** The direction that ended first: decides between client-closed and origin-closed. */
  readonly endedFirst: Uint8Array;

  // Columns of directions.
  readonly flags: Uint16Array;
  /** Buffers received and not yet sent: first, last, how many. */
  readonly head: Int32Array;
  readonly tail: Int32Array;
  readonly queued: Uint16Array;
  /** Receives in a row that filled their buffer; in bulk: splices in a row that moved little. */
  readonly streak: Uint8Array;
  readonly pipeRead: Int32Array;
  readonly pipeWrite: Int32Array;
  readonly inPipe: Int32Array;
  /** What the last splice brought. */
  readonly last: Int32Array;
  /** Payload bytes; and how many of them the last record told. */
  readonly bytes: Float64Array;
  readonly recorded: Float64Array;

  /** Two socket addresses per slot, where the kernel can read them: the client's and the one that is dialled. */
  readonly names: Uint8Array<ArrayBuffer>;
  readonly nameWords: Int32Array<ArrayBuffer>;
  readonly nameSlab: Slab;
  readonly #free: Int32Array;
  #freeCount = 0;
  /** Connections without an origin yet: while there are any, clocks are looked at more often. */
  dialling = 0;
  /** … and so are they while there are connections whose reset waits for a delivery. */
  settling = 0;

  constructor(capacity: number, descriptors: SharedArrayBuffer) {
    const names = mapPages(capacity * 2 * NAME_BYTES);
    if (typeof names === 'number') throw new Error(`no memory for ${capacity} connections`);
    this.capacity = capacity;
    this.nameSlab = names;
    this.names = new Uint8Array(names.buffer);
    this.nameWords = new Int32Array(names.buffer);
    this.fd = new Int32Array(descriptors, 0, 2 * capacity).fill(-1);
    this.generation = new Uint16Array(capacity);
    this.state = new Uint8Array(capacity);
    this.rule = new Int32Array(capacity);
    this.entry = new Int32Array(capacity);
    this.target = new Int32Array(capacity);
    this.attempt = new Uint16Array(capacity);
    this.timeouts = new Uint8Array(capacity);
    this.portRefusals = new Uint8Array(capacity);
    this.acceptedAt = new Float64Array(capacity);
    this.dialledAt = new Float64Array(capacity);
    this.triesFrom = new Float64Array(capacity);
    this.seenAt = new Float64Array(capacity);
    this.cutAt = new Float64Array(capacity);
    this.recordAt = new Float64Array(capacity);
    this.number = new Float64Array(capacity);
    this.endedFirst = new Uint8Array(capacity);
    this.flags = new Uint16Array(2 * capacity);
    this.head = new Int32Array(2 * capacity).fill(-1);
    this.tail = new Int32Array(2 * capacity).fill(-1);
    this.queued = new Uint16Array(2 * capacity);
    this.streak = new Uint8Array(2 * capacity);
    this.pipeRead = new Int32Array(2 * capacity).fill(-1);
    this.pipeWrite = new Int32Array(2 * capacity).fill(-1);
    this.inPipe = new Int32Array(2 * capacity);
    this.last = new Int32Array(2 * capacity);
    this.bytes = new Float64Array(2 * capacity);
    this.recorded = new Float64Array(2 * capacity);
    this.#free = new Int32Array(capacity);
    for (let slot = capacity - 1; slot >= 0; slot--) this.#free[this.#freeCount++] = slot;
  }

  get available(): number {
    return this.#freeCount;
  }

  get used(): number {
    return this.capacity - this.#freeCount;
  }

  /** A slot with every column at its start value, or -1. */
  take(client: number, rule: number, entry: number, now: number): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[--this.#freeCount] ?? -1;
    this.state[slot] = DIALLING;
    this.dialling++;
    this.fd[2 * slot] = client;
    this.rule[slot] = rule;
    this.entry[slot] = entry;
    this.target[slot] = -1;
    this.attempt[slot] = 0;
    this.timeouts[slot] = 0;
    this.acceptedAt[slot] = now;
    this.triesFrom[slot] = now;
    this.seenAt[slot] = now;
    this.cutAt[slot] = NEVER;
    this.recordAt[slot] = NEVER;
    this.endedFirst[slot] = 0;
    for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
      this.flags[k] = 0;
      this.queued[k] = 0;
      this.streak[k] = 0;
      this.bytes[k] = 0;
      this.recorded[k] = 0;
    }
    return slot;
  }

  /** The caller has emptied the queues and dealt with descriptors and pipes. */
  give(slot: number): void {
    if (this.state[slot] === DIALLING) this.dialling--;
    if (this.#failed.size > 0) this.#failed.delete(slot);
    if (((this.flags[2 * slot]! | this.flags[2 * slot + 1]!) & SETTLING) !== 0) this.settling--;
    this.state[slot] = FREE;
    this.generation[slot] = (this.generation[slot] ?? 0) + 1;
    this.fd[2 * slot] = this.fd[2 * slot + 1] = -1;
    this.#free[this.#freeCount++] = slot;
  }

  /** Direction k is to be looked at again soon. */
  settles(k: number): void {
    this.flags[k]! |= SETTLING;
    this.settling++;
  }

  /** An origin has answered. */
  relays(slot: number): void {
    this.state[slot] = RELAYING;
    this.dialling--;
  }

  /** The target of this try has failed. */
  ruleOut(slot: number): void {
    const failed = this.#failed.get(slot);
    if (failed) failed.add(this.target[slot]!);
    else this.#failed.set(slot, new Set([this.target[slot]!]));
  }

  /** Numbers of all targets that have failed. */
  failed(slot: number): ReadonlySet<number> | undefined {
    return this.#failed.size === 0 ? undefined : this.#failed.get(slot);
  }

  /** Where a slot's client (0) or dialled (1) address lies in `names`. */
  nameOffset(slot: number, side: 0 | 1): number {
    return (2 * slot + side) * NAME_BYTES;
  }

  release(): void {
    unmap(this.nameSlab);
  }
}
