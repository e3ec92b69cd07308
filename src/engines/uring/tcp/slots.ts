/**
 * The state of every TCP connection of a worker, as columns of numbers in four tables. A connection is a slot; a direction
 * is a row of `directions`: `2 × slot` from the client, `2 × slot + 1` from the origin. A direction reads its own side and
 * writes the other, and the address of the side that it reads has its number in `names`. Taking and giving back a slot
 * allocates nothing. LIFECYCLE.md says what the states mean and who changes them; this file only keeps them.
 */
import { NEVER } from '../../flow/verdict.ts';
import { Names } from '../ring/names.ts';

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

/** Both directions of every slot. */
class Directions {
  /** The socket of the side that it reads, or −1. In shared memory: the agent's thread closes those of a dead worker. */
  readonly fd: Int32Array;
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
  /** Bytes that the last splice brought; while settling: bytes that the destination's peer had acknowledged. */
  readonly last: Int32Array;
  /** Payload so far. */
  readonly bytes: Float64Array;
  /** Directions that wait for a buffer, each followed by its generation. */
  readonly hungry: number[] = [];

  constructor(slots: number, descriptors: SharedArrayBuffer) {
    const count = 2 * slots;
    this.fd = new Int32Array(descriptors, 0, count).fill(-1);
    this.flags = new Uint16Array(count);
    this.head = new Int32Array(count).fill(-1);
    this.tail = new Int32Array(count).fill(-1);
    this.queued = new Uint16Array(count);
    this.streak = new Uint8Array(count);
    this.pipeRead = new Int32Array(count).fill(-1);
    this.pipeWrite = new Int32Array(count).fill(-1);
    this.inPipe = new Int32Array(count);
    this.last = new Int32Array(count);
    this.bytes = new Float64Array(count);
  }
}

/** When a connection came, when it goes, and what was told of it. All times in milliseconds. */
class Lives {
  readonly acceptedAt: Float64Array;
  /** The last byte either way. */
  readonly seenAt: Float64Array;
  /** When it must end; NEVER: no change of its rule asks for that. */
  readonly deadline: Float64Array;
  /** When its next record is due; NEVER: it is not recorded. */
  readonly recordAt: Float64Array;
  /** The number in the id of its records. */
  readonly number: Float64Array;
  /** The side that ended first (0: the client's). */
  readonly endedFirst: Uint8Array;
  /** By direction: the bytes that its records have told. */
  readonly recorded: Float64Array;

  constructor(slots: number) {
    this.acceptedAt = new Float64Array(slots);
    this.seenAt = new Float64Array(slots);
    this.deadline = new Float64Array(slots);
    this.recordAt = new Float64Array(slots);
    this.number = new Float64Array(slots);
    this.endedFirst = new Uint8Array(slots);
    this.recorded = new Float64Array(2 * slots);
  }
}

/** The search for an origin. */
class Dials {
  /** Number of the target, −1 while none is chosen. */
  readonly target: Int32Array;
  /** Sockets that were asked for so far. */
  readonly attempt: Uint16Array;
  /** Targets that have let the dial time out. */
  readonly timeouts: Uint8Array;
  /** Source ports that were refused towards this target; SYSTEM_PORT: the system chooses. */
  readonly portRefusals: Uint8Array;
  /** When this dial began; and the first one since accepting or since a time-out. */
  readonly startedAt: Float64Array;
  readonly triesFrom: Float64Array;
  /** Targets that have failed, of slots with any: most have none. */
  readonly #failed = new Map<number, Set<number>>();

  constructor(slots: number) {
    this.target = new Int32Array(slots);
    this.attempt = new Uint16Array(slots);
    this.timeouts = new Uint8Array(slots);
    this.portRefusals = new Uint8Array(slots);
    this.startedAt = new Float64Array(slots);
    this.triesFrom = new Float64Array(slots);
  }

  /** The slot's target has failed. */
  ruleOut(slot: number): void {
    const failed = this.#failed.get(slot);
    if (failed) failed.add(this.target[slot]!);
    else this.#failed.set(slot, new Set([this.target[slot]!]));
  }

  /** Numbers of all targets that have failed. */
  failed(slot: number): ReadonlySet<number> | undefined {
    return this.#failed.size === 0 ? undefined : this.#failed.get(slot);
  }

  forgetFailed(slot: number): void {
    if (this.#failed.size > 0) this.#failed.delete(slot);
  }
}

export class Slots {
  readonly capacity: number;
  readonly state: Uint8Array;
  /** Goes up when the slot is given back: a completion that carries an older one belongs to no connection. */
  readonly generation: Uint16Array;
  /** Number of the entry that it came in by. */
  readonly entry: Int32Array;
  readonly directions: Directions;
  readonly lives: Lives;
  readonly dials: Dials;
  /** The client's address and the one that is dialled. */
  readonly names: Names;
  /** Connections whose clock must not be late: those that dial, and those whose reset waits for a delivery. */
  urgent = 0;
  readonly #free: Int32Array;
  #freeCount = 0;

  constructor(capacity: number, descriptors: SharedArrayBuffer) {
    this.capacity = capacity;
    this.state = new Uint8Array(capacity);
    this.generation = new Uint16Array(capacity);
    this.entry = new Int32Array(capacity);
    this.directions = new Directions(capacity, descriptors);
    this.lives = new Lives(capacity);
    this.dials = new Dials(capacity);
    this.names = new Names(2 * capacity);
    this.#free = new Int32Array(capacity);
    for (let slot = capacity - 1; slot >= 0; slot--) this.#free[this.#freeCount++] = slot;
  }

  get available(): number {
    return this.#freeCount;
  }

  /** A slot that dials, with every column at its start value, or −1. */
  take(client: number, entry: number, now: number): number {
    if (this.#freeCount === 0) return -1;
    const slot = this.#free[--this.#freeCount] ?? -1;
    const { directions, lives, dials } = this;
    this.state[slot] = DIALLING;
    this.urgent++;
    this.entry[slot] = entry;
    directions.fd[2 * slot] = client;
    dials.target[slot] = -1;
    dials.attempt[slot] = 0;
    dials.timeouts[slot] = 0;
    dials.triesFrom[slot] = now;
    lives.acceptedAt[slot] = now;
    lives.seenAt[slot] = now;
    lives.deadline[slot] = NEVER;
    lives.recordAt[slot] = NEVER;
    lives.endedFirst[slot] = 0;
    for (let k = 2 * slot; k <= 2 * slot + 1; k++) {
      directions.flags[k] = 0;
      directions.queued[k] = 0;
      directions.streak[k] = 0;
      directions.bytes[k] = 0;
      lives.recorded[k] = 0;
    }
    return slot;
  }

  /** The caller has emptied the queues and dealt with descriptors and pipes. */
  give(slot: number): void {
    const { fd, flags } = this.directions;
    if (this.state[slot] === DIALLING) this.urgent--;
    if (((flags[2 * slot]! | flags[2 * slot + 1]!) & SETTLING) !== 0) this.urgent--;
    this.dials.forgetFailed(slot);
    this.state[slot] = FREE;
    this.generation[slot]! += 1;
    fd[2 * slot] = fd[2 * slot + 1] = -1;
    this.#free[this.#freeCount++] = slot;
  }
}
