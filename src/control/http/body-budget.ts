/**
 * The memory that request bodies may have, all connections together, while no answer has been given to them. Where it is
 * used up, the body that comes slowest makes room: a peer that sends in bits, or not at all, shuts no other out. Pure but for
 * the clock; body.ts fills the shares.
 */
import type { Clock } from '../../lib/clock.ts';

/** limit: a body that has just begun says nothing of its pace yet. */
const YOUNG_MS = 1_000;
const LEAST = 4 * 1024;
const MOST = 64 * 1024;
/** limit: smaller ones share memory with others. */
const LEAST_FREED = 4 * 1024;

/**
 * Gives the memory of bytes that are read no more back at once, where it is all theirs. The collector would wait until
 * there are some 60 MB of them, which is more than all bodies may have.
 */
export function free({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength && byteLength >= LEAST_FREED)
    buffer.transfer(0);
}

export class BodyBudget {
  readonly #most: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #refused: () => void;
  readonly #coming = new Set<Share>();
  #used = 0;

  /** `refused` is called once for each body that is given up. */
  constructor(most: number, clock: Pick<Clock, 'monotonic'>, refused: () => void) {
    this.#most = most;
    this.#clock = clock;
    this.#refused = refused;
  }

  get used(): number {
    return this.#used;
  }

  /** `length`: of the body, where its sender says it. `evict` tells the sender; the share is released by then. */
  open(length: number | undefined, evict: () => void): Share {
    const share: Share = new Share(length, this.#clock.monotonic(), evict, {
      take: (bytes) => this.#take(share, bytes),
      give: (bytes) => (this.#used -= bytes),
      over: () => this.#coming.delete(share),
    });
    this.#coming.add(share);
    return share;
  }

  #take(share: Share, bytes: number): boolean {
    while (this.#used + bytes > this.#most) {
      const victim = this.#slowest();
      this.#refused();
      if (victim === undefined || victim === share) return false;
      victim.release();
      victim.evict();
    }
    this.#used += bytes;
    return true;
  }

  /** Of those older than a second the slowest; where all are young, the biggest. */
  #slowest(): Share | undefined {
    const now = this.#clock.monotonic();
    let [slow, pace]: [Share | undefined, number] = [undefined, Infinity];
    let [big, held]: [Share | undefined, number] = [undefined, -1];
    for (const share of this.#coming) {
      const age = now - share.since;
      if (age >= YOUNG_MS && share.length / age < pace) [slow, pace] = [share, share.length / age];
      if (share.held > held) [big, held] = [share, share.held];
    }
    return slow ?? big;
  }
}

interface Purse {
  take(bytes: number): boolean;
  give(bytes: number): void;
  over(): void;
}

/** One body. It is copied into blocks of its own, so a sender of tiny chunks gets no more memory than what is counted. */
export class Share {
  readonly since: number;
  readonly evict: () => void;
  readonly #expected: number | undefined;
  readonly #purse: Purse;
  readonly #blocks: Buffer[] = [];
  /** Of the last block. */
  #room = 0;
  #released = false;
  length = 0;
  held = 0;

  constructor(expected: number | undefined, since: number, evict: () => void, purse: Purse) {
    this.#expected = expected;
    this.since = since;
    this.evict = evict;
    this.#purse = purse;
  }

  /** false: there is no room for it; the caller gives the body up. */
  add(part: Uint8Array): boolean {
    for (let at = 0; at < part.length;) {
      if (this.#room === 0 && !this.#grow()) return false;
      const block = this.#blocks.at(-1) as Buffer;
      const bytes = Math.min(this.#room, part.length - at);
      block.set(part.subarray(at, at + bytes), block.length - this.#room);
      this.#room -= bytes;
      this.length += bytes;
      at += bytes;
    }
    return true;
  }

  #grow(): boolean {
    if (this.#released) return false;
    const wanted = this.#expected === undefined ? Math.max(LEAST, this.length) : this.#expected - this.length;
    const size = Math.min(MOST, Math.max(1, wanted));
    if (!this.#purse.take(size)) return false;
    this.held += size;
    this.#room = size;
    this.#blocks.push(Buffer.allocUnsafeSlow(size));
    return true;
  }

  /** All of it. It counts until it is released, and is evicted no more. */
  whole(): Uint8Array {
    this.#purse.over();
    const [first = Buffer.alloc(0), ...more] = this.#blocks.splice(0);
    if (more.length === 0) return first.subarray(0, this.length);
    const bytes = Buffer.concat([first, ...more], this.length);
    for (const block of [first, ...more]) free(block);
    return bytes;
  }

  /** May be called twice. */
  release(): void {
    this.#purse.over();
    this.#purse.give(this.held);
    this.#released = true;
    this.held = 0;
    this.#room = 0;
    for (const block of this.#blocks.splice(0)) free(block);
  }
}
