/**
 * The order in which UDP sessions make room for new ones. A session that has had its answer is as good as over; one whose
 * client spoke again after an answer is a conversation, and keeps its place against any number of newcomers until it has
 * been silent for long; one that still waits for its answer is left alone for a while. Of the sessions that may go, the one
 * that was silent longest goes, of the rule that holds most; where none may, the newcomer is refused. Pure; a session is a
 * small number, and the hot path allocates nothing. The tables of sessions of node/ and uring/ use it, and end the victim.
 */
import { ANSWERED_MS, CONVERSATION_MS, UNANSWERED_MS } from './behaviour.ts';

/** limit: the order is kept to this much, so that most datagrams don't touch it. */
const GRAIN_MS = 100;
/** limit: how many are looked at; those in front are the oldest, and one that still waits may be among them. */
const LOOKS = 16;

const ANSWERED = 1;
const OWED = 2;
const CONVERSES = 4;

interface Owner {
  readonly id: number;
  /** First and last of the brief ones, first and last of the conversations; -1: none. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  count: number;
}

export class Seniority {
  /** When something last passed, either way. Milliseconds of the caller's clock. */
  seenAt: Float64Array;
  /** When the client sent what has had no answer yet. */
  #owedAt: Float64Array;
  #next: Int32Array;
  #prev: Int32Array;
  #flags: Uint8Array;
  #placedAt: Float64Array;
  #ownerOf: Int32Array;
  readonly #owners = new Map<number, Owner>();
  /** Holds most sessions, or did so lately; it may be gone. */
  #largest: Owner | undefined;

  constructor(capacity: number) {
    this.seenAt = new Float64Array(capacity);
    this.#owedAt = new Float64Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#prev = new Int32Array(capacity);
    this.#flags = new Uint8Array(capacity);
    this.#placedAt = new Float64Array(capacity);
    this.#ownerOf = new Int32Array(capacity);
  }

  /** A session of the rule `owner` begins with a datagram of its client. Room for it is made where there is none. */
  opened(session: number, owner: number, now: number): void {
    if (session >= this.#flags.length) this.#grow();
    let of = this.#owners.get(owner);
    if (!of)
      this.#owners.set(
        owner,
        (of = { id: owner, first: Int32Array.of(-1, -1), last: Int32Array.of(-1, -1), count: 0 }),
      );
    of.count++;
    if (!this.#largest || of.count > this.#largest.count) this.#largest = of;
    this.#ownerOf[session] = owner;
    this.#flags[session] = OWED;
    this.seenAt[session] = this.#owedAt[session] = now;
    this.#append(of, session, now);
  }

  /** Its client has sent. */
  heard(session: number, now: number): void {
    const flags = this.#flags[session]!;
    this.seenAt[session] = now;
    if ((flags & OWED) === 0) this.#owedAt[session] = now;
    if ((flags & ANSWERED) !== 0 && (flags & CONVERSES) === 0) {
      const owner = this.#unlink(session);
      this.#flags[session] = flags | OWED | CONVERSES;
      this.#append(owner, session, now);
    } else {
      this.#flags[session] = flags | OWED;
      this.#touch(session, now);
    }
  }

  /** Its origin has sent. */
  answered(session: number, now: number): void {
    this.seenAt[session] = now;
    this.#flags[session] = (this.#flags[session]! | ANSWERED) & ~OWED;
    this.#touch(session, now);
  }

  /** Whether its origin has ever sent. */
  isAnswered(session: number): boolean {
    return (this.#flags[session]! & ANSWERED) !== 0;
  }

  /** Whether its client has waited for an answer so long that there will be none. */
  isForsaken(session: number, now: number): boolean {
    return (this.#flags[session]! & OWED) !== 0 && now - this.#owedAt[session]! >= UNANSWERED_MS;
  }

  closed(session: number): void {
    const owner = this.#unlink(session);
    if (--owner.count === 0) this.#owners.delete(owner.id);
  }

  /** The session that goes for a newcomer of `owner`, or -1: none may. With `own`, only one of the same rule. */
  victim(owner: number, now: number, own = false): number {
    const mine = this.#owners.get(owner);
    if (mine && (!this.#largest || mine.count >= this.#largest.count)) this.#largest = mine;
    const from = own ? mine : this.#largest;
    const found = from ? this.#oldest(from, now) : -1;
    return found < 0 && mine && mine !== from ? this.#oldest(mine, now) : found;
  }

  #grow(): void {
    const more = <T extends Float64Array | Int32Array | Uint8Array>(small: T, big: T): T => (big.set(small), big);
    const capacity = 2 * this.#flags.length;
    this.seenAt = more(this.seenAt, new Float64Array(capacity));
    this.#owedAt = more(this.#owedAt, new Float64Array(capacity));
    this.#next = more(this.#next, new Int32Array(capacity));
    this.#prev = more(this.#prev, new Int32Array(capacity));
    this.#flags = more(this.#flags, new Uint8Array(capacity));
    this.#placedAt = more(this.#placedAt, new Float64Array(capacity));
    this.#ownerOf = more(this.#ownerOf, new Int32Array(capacity));
  }

  #oldest(owner: Owner, now: number): number {
    for (const list of [0, 1] as const) {
      let session = owner.first[list]!;
      for (let i = 0; i < LOOKS && session >= 0; i++) {
        if (now - this.seenAt[session]! >= this.#patience(session)) return session;
        session = this.#next[session]!;
      }
    }
    return -1;
  }

  #patience(session: number): number {
    const flags = this.#flags[session]!;
    if ((flags & CONVERSES) !== 0) return CONVERSATION_MS;
    return (flags & OWED) !== 0 ? UNANSWERED_MS : ANSWERED_MS;
  }

  #touch(session: number, now: number): void {
    if (now - this.#placedAt[session]! < GRAIN_MS) return;
    this.#append(this.#unlink(session), session, now);
  }

  #append(owner: Owner, session: number, now: number): void {
    const list = this.#listOf(session);
    const last = owner.last[list]!;
    this.#prev[session] = last;
    this.#next[session] = -1;
    if (last < 0) owner.first[list] = session;
    else this.#next[last] = session;
    owner.last[list] = session;
    this.#placedAt[session] = now;
  }

  #unlink(session: number): Owner {
    const owner = this.#owners.get(this.#ownerOf[session]!)!;
    const list = this.#listOf(session);
    const next = this.#next[session]!;
    const prev = this.#prev[session]!;
    if (prev < 0) owner.first[list] = next;
    else this.#next[prev] = next;
    if (next < 0) owner.last[list] = prev;
    else this.#prev[next] = prev;
    return owner;
  }

  #listOf(session: number): 0 | 1 {
    return (this.#flags[session]! & CONVERSES) === 0 ? 0 : 1;
  }
}
