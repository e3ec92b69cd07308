/**
 * New connections. Each socket that listens has a few accepts under way, each with its own area where the kernel writes
 * the peer's address. An accept that may not have its connection now (no slot, no descriptors) waits, with or without one
 * in hand, and goes on when something ends: connections queue in the kernel. One that has waited for the rule's connect
 * time-out is refused, and so are those behind it until there is room. Of the last descriptors a source and a rule get a share.
 */
import {
  accept4,
  close as closeNow,
  fcntl,
  getsockname,
  mapPages,
  setsockopt,
  unmap,
} from '../../../linux/ffi/libc.ts';
import type { Slab } from '../../../linux/ffi/libc.ts';
import { CONNECTION_DESCRIPTORS } from '../../flow/behaviour.ts';
import {
  EAGAIN,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  F_SETFL,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
  SO_LINGER,
} from '../../../linux/abi.ts';
import { CAUSE, CONNECTIONS, DROP, LOST, countEnd } from '../worker/counters.ts';
import { dial } from './dial.ts';
import { accept, cancelAll } from '../ring/operations.ts';
import { LINGER_ZERO, begin, finish } from './relay.ts';
import type { Relay } from './relay.ts';
import { isClosed } from '../worker/rule.ts';
import type { Entry, Rule } from '../worker/rule.ts';
import { NAME_BYTES, addressOffset, addressSize, portAt } from '../ring/sockaddr.ts';

/** limit: a socket of its own port takes bursts without a round through JavaScript for each; a port of many waits alone. */
const ACCEPTS_ALONE = 8;
const ACCEPTS_IN_RANGE = 1;
const RANGE = 32;
/** The last word of an area: the room for the address, as the kernel wants to be told. */
const LENGTH_AT = NAME_BYTES - 4;

export class Acceptor {
  /**
   * Sockets that another process serves: the one before this one, until it no longer does, or the next one. What waits in
   * them is its. undefined: there is none.
   */
  #held: Set<Entry> | undefined;
  /** Accepts under way. */
  #posted = 0;
  readonly #names: Slab;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #entryOf: Int32Array;
  /** The connection in hand, by area, and when it came. */
  readonly #hand: Int32Array;
  readonly #since: Float64Array;
  readonly #free: number[] = [];
  /** For a socket's own name. */
  readonly #own = new Uint8Array(NAME_BYTES);
  readonly #ownLength = new Int32Array(1);
  #waiting: number[] = [];
  /** One has waited in vain, and nothing has ended since: nobody else needs to wait. */
  #isFull = false;

  constructor(areas: number, isHeld: boolean) {
    if (isHeld) this.#held = new Set();
    const names = mapPages(areas * NAME_BYTES);
    if (typeof names === 'number') throw new Error(`no memory for ${areas} accepts`);
    this.#names = names;
    this.#words = new Int32Array(names.buffer);
    this.#bytes = new Uint8Array(names.buffer);
    this.#entryOf = new Int32Array(areas);
    this.#hand = new Int32Array(areas).fill(-1);
    this.#since = new Float64Array(areas);
    for (let area = areas - 1; area >= 0; area--) this.#free.push(area);
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Held, and nothing waits for a connection any more. */
  get isStill(): boolean {
    return this.isHeld && this.#posted === 0;
  }

  /** False: no area left, which means more sockets than descriptors were allowed for. */
  open(r: Relay, entry: Entry): boolean {
    if (this.#held) {
      this.#held.add(entry);
      return true;
    }
    const many = entry.rule.spec.entries.length > RANGE;
    for (let i = 0; i < (many ? ACCEPTS_IN_RANGE : ACCEPTS_ALONE); i++) {
      const area = this.#free.pop();
      if (area === undefined) return entry.posted > 0;
      this.#entryOf[area] = entry.index;
      this.#post(r, area);
    }
    return true;
  }

  /**
   * Another process is about to serve them, and must not begin before `isStill`: the kernel wakes one of those who wait on
   * a socket. Were that an accept that is just being taken back, the connection would wait for the next one to come.
   */
  pause(r: Relay): void {
    if (this.#held) return;
    this.#held = new Set(r.rules.serving('TCP'));
    for (const entry of this.#held) if (entry.posted > 0) cancelAll(r.ring, entry.fd);
  }

  /** The other process is not to serve them, or no more. */
  begin(r: Relay): void {
    const entries = this.#held ?? [];
    this.#held = undefined;
    for (const entry of entries) this.open(r, entry);
  }

  /**
   * No more from this socket. What its queue holds already is accepted and served; then it is closed. Only where
   * there is no slot for what waits in hand is that let go.
   */
  close(r: Relay, entry: Entry): void {
    r.rules.leave(entry);
    this.#held?.delete(entry);
    const mine = this.#waiting.filter((area) => this.#entryOf[area] === entry.index);
    this.#waiting = this.#waiting.filter((area) => this.#entryOf[area] !== entry.index);
    if (entry.posted > 0) cancelAll(r.ring, entry.fd);
    for (const area of mine) {
      if (this.#hand[area]! >= 0) closeNow(this.#hand[area]!);
      this.#hand[area] = -1;
      this.#free.push(area);
    }
    if (entry.posted === 0) this.#drain(r, entry);
  }

  /** An accept has completed. */
  completed(r: Relay, area: number, result: number): void {
    const entry = r.rules.entry(this.#entryOf[area]!);
    entry.posted--;
    this.#posted--;
    if (result >= 0) {
      this.#hand[area] = result;
      this.#since[area] = r.now;
      this.#serve(r, area);
    } else if (entry.closing) this.#retire(r, area);
    else if (result === -EMFILE || result === -ENFILE || result === -ENOBUFS || result === -ENOMEM) {
      entry.rule.row[DROP['wait-descriptors']]! += 1;
      this.#waiting.push(area);
    } else if (result === -EAGAIN) {
      // Another process has made the socket one that never waits; asking at once again would be a loop.
      this.#waiting.push(area);
    } else this.#post(r, area);
  }

  /** Something ended, or time has passed: those who wait may go on, as far as there is room. */
  resume(r: Relay): void {
    const hasRoom = r.slots.available > 0 && r.budget.has(CONNECTION_DESCRIPTORS);
    if (hasRoom) this.#isFull = false;
    while (this.#waiting.length > 0 && r.slots.available > 0 && r.budget.has(CONNECTION_DESCRIPTORS))
      this.#serve(r, this.#waiting.pop()!);
    if (this.#waiting.length > 0 && !hasRoom) this.#refuseOld(r);
  }

  /** Those in hand that have waited for as long as a client waits for an origin. */
  #refuseOld(r: Relay): void {
    for (const area of this.#waiting.splice(0)) {
      const { rule } = r.rules.entry(this.#entryOf[area]!);
      if (this.#hand[area]! < 0 || r.now - this.#since[area]! < rule.spec.options.connectTimeoutMs) {
        this.#waiting.push(area);
        continue;
      }
      this.#isFull = true;
      this.#refuse(r, rule, area);
      this.#post(r, area);
    }
  }

  /** Resets the connection in hand, which has no slot and so no record. */
  #refuse(r: Relay, { row }: Rule, area: number): void {
    const fd = this.#hand[area]!;
    this.#hand[area] = -1;
    row[CONNECTIONS]! += 1;
    row[LOST]! += 1;
    countEnd(row, CAUSE.limit);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_ZERO, 8);
    closeNow(fd);
  }

  release(): void {
    unmap(this.#names);
  }

  #post(r: Relay, area: number): void {
    const entry = r.rules.entry(this.#entryOf[area]!);
    if (entry.closing || this.#held) return this.#retire(r, area);
    // not: posting only what there are slots for. A thousand ports would reserve a thousand slots.
    this.#words[(area * NAME_BYTES + LENGTH_AT) >> 2] = LENGTH_AT;
    const name = area * NAME_BYTES;
    accept(r.ring, entry.fd, area, this.#names, name, name + LENGTH_AT);
    entry.posted++;
    this.#posted++;
  }

  /** A connection in hand gets a slot, or waits for one; then the area takes the next. */
  #serve(r: Relay, area: number): void {
    const entry = r.rules.entry(this.#entryOf[area]!);
    const fd = this.#hand[area]!;
    if (fd >= 0) {
      const isRoomy = this.#begin(r, entry, area, fd);
      if (!isRoomy && !entry.closing && !this.#isFull) {
        this.#waiting.push(area);
        return;
      }
      if (!isRoomy) this.#refuse(r, entry.rule, area);
      this.#hand[area] = -1;
    }
    this.#post(r, area);
  }

  #begin(r: Relay, entry: Entry, area: number, fd: number): boolean {
    const isAdmitted = this.#isAdmitted(r, entry.rule, area);
    const roomy = r.budget.take(CONNECTION_DESCRIPTORS);
    const slot = roomy ? r.slots.take(fd, entry.rule.index, entry.index, r.now) : -1;
    if (slot < 0) {
      if (roomy) r.budget.give(CONNECTION_DESCRIPTORS);
      entry.rule.row[roomy ? DROP['wait-slots'] : DROP['wait-descriptors']]! += 1;
      return false;
    }
    const from = (area * NAME_BYTES) >> 2;
    const to = r.slots.nameOffset(slot, 0) >> 2;
    for (let i = 0; i < NAME_BYTES >> 2; i++) r.slots.nameWords[to + i] = this.#words[from + i]!;
    const { originPort } = entry.rule.takesRange ? this.#behind(r, entry, slot, fd) : entry;
    begin(r, slot);
    if (!isAdmitted) finish(r, slot, CAUSE.limit, true);
    else if (originPort === 0) finish(r, slot, CAUSE['no-origin'], true);
    else dial(r, slot);
    return true;
  }

  /** Whether its source and its rule may have one of the last ones. */
  #isAdmitted(r: Relay, rule: Rule, area: number): boolean {
    const at = area * NAME_BYTES;
    const { shares, rules, budget } = r;
    const place = shares.placeOf(this.#bytes, addressOffset(this.#bytes, at), addressSize(this.#bytes, at));
    return shares.admits(place, budget.free, rule.open * CONNECTION_DESCRIPTORS, rules.rules.size === 1);
  }

  /** The socket takes a range: the connection's own name says which port its client meant. */
  #behind(r: Relay, socket: Entry, slot: number, fd: number): Entry {
    this.#ownLength[0] = NAME_BYTES;
    getsockname(fd, this.#own, this.#ownLength);
    const entry = r.rules.behind(socket, portAt(this.#own, 0));
    r.slots.entry[slot] = entry.index;
    return entry;
  }

  /** The area is no longer needed; of a closing socket, its last one was. */
  #retire(r: Relay, area: number): void {
    const entry = r.rules.entry(this.#entryOf[area]!);
    this.#free.push(area);
    if (entry.closing && entry.posted === 0 && !isClosed(entry)) this.#drain(r, entry);
  }

  /** What the queue of a closing socket still holds is taken over, unless it is the other process's. */
  #drain(r: Relay, entry: Entry): void {
    const area = this.#held ? undefined : this.#free.pop();
    if (area !== undefined) {
      fcntl(entry.fd, F_SETFL, O_NONBLOCK);
      const name = this.#names.address + area * NAME_BYTES;
      for (let room = true; room;) {
        this.#words[(area * NAME_BYTES + LENGTH_AT) >> 2] = LENGTH_AT;
        const fd = accept4(entry.fd, name, name + LENGTH_AT, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) break;
        room = this.#begin(r, entry, area, fd);
        if (!room) closeNow(fd);
      }
      this.#free.push(area);
    }
    r.entryIdle(entry);
  }
}
