/**
 * New connections. Each socket that listens has a few accepts under way, each with an area where the kernel writes the
 * peer's address. An accept that may not have its connection now (no slot, no descriptors) waits, with or without one in
 * hand, and goes on when something ends: connections queue in the kernel. One that has waited for the rule's connect
 * time-out is refused, and so are those behind it until there is room. Of the last descriptors a source and a rule get a
 * share. Called by worker.ts and commands.ts; it refuses to bind a socket, and is the only one that closes it.
 */
import { accept4, close as closeNow, fcntl, getsockname, setsockopt } from '../../../linux/ffi/libc.ts';
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
import { Names } from '../ring/names.ts';
import { CAUSE, CONNECTIONS, DROP, LOST, countEnd } from '../worker/counters.ts';
import { LINGER_ZERO, begin, finish } from './connection.ts';
import { dial } from './dial.ts';
import type { DialState } from './dial.ts';
import { accept, cancelAll } from '../ring/operations.ts';
import { isClosed, serving } from '../worker/rule.ts';
import type { Entry, Rule } from '../worker/rule.ts';
import { NAME_BYTES, addressOffset, addressSize, portAt } from '../../../linux/sockaddr.ts';

/** limit: a socket of its own port takes bursts without a round through JavaScript for each; a port of many waits alone. */
const ACCEPTS_ALONE = 8;
const ACCEPTS_IN_RANGE = 1;
const RANGE = 32;
/** The last word of an area: the room for the address, as the kernel wants to be told. */
const LENGTH_AT = NAME_BYTES - 4;

export class Acceptor {
  readonly #state: DialState;
  /**
   * Sockets that another process serves: the previous one, until it no longer does, or the next one. The connections that
   * wait in them are its. undefined: there is none.
   */
  #paused: Set<Entry> | undefined;
  /** Accepts under way. */
  #posted = 0;
  /** The area of each accept. */
  readonly #names: Names;
  readonly #entryOf: Int32Array;
  /** The connection in hand, by area, and when it came. */
  readonly #hand: Int32Array;
  readonly #since: Float64Array;
  readonly #free: number[] = [];
  /** For a socket's own name. */
  readonly #own = new Uint8Array(NAME_BYTES);
  readonly #ownLength = new Int32Array(1);
  /** Accepts that wait for a slot and for descriptors, by area. */
  readonly waiting: number[] = [];
  /** Accepts that the kernel refused; asked again at once they would be refused at once. */
  readonly #refused: number[] = [];
  /** One has waited in vain, and nothing has ended since: the next ones need not wait. */
  #isFull = false;

  constructor(state: DialState, areas: number, isPaused: boolean) {
    this.#state = state;
    if (isPaused) this.#paused = new Set();
    this.#names = new Names(areas);
    this.#entryOf = new Int32Array(areas);
    this.#hand = new Int32Array(areas).fill(-1);
    this.#since = new Float64Array(areas);
    for (let area = areas - 1; area >= 0; area--) this.#free.push(area);
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  /** Paused, and no accept is under way any more. */
  get hasStopped(): boolean {
    return this.isPaused && this.#posted === 0;
  }

  /** Connections of this socket are accepted; without an area left (more sockets than descriptors) they wait in it. */
  open(entry: Entry): void {
    if (this.#paused) {
      this.#paused.add(entry);
      return;
    }
    const many = entry.rule.spec.entries.length > RANGE;
    for (let i = 0; i < (many ? ACCEPTS_IN_RANGE : ACCEPTS_ALONE); i++) {
      const area = this.#free.pop();
      if (area === undefined) return;
      this.#entryOf[area] = entry.index;
      this.#post(area);
    }
  }

  /**
   * Another process is about to serve them, and must not begin before `hasStopped`: the kernel wakes one of the accepts that
   * wait on a socket. Were that one that is just being taken back, the connection would wait for the next one to come.
   */
  pause(): void {
    if (this.#paused) return;
    this.#paused = new Set(serving(this.#state.rules.rules, 'TCP'));
    for (const entry of this.#paused) if (entry.posted > 0) cancelAll(this.#state.ring, entry.fd);
  }

  /** The other process is not to serve them, or no more. */
  begin(): void {
    const entries = this.#paused ?? [];
    this.#paused = undefined;
    for (const entry of entries) this.open(entry);
  }

  /**
   * Ends a socket: the connections that its queue holds are accepted and served, then it is closed. Those in hand that
   * wait for a slot are closed.
   */
  close(entry: Entry): void {
    this.#state.rules.leave(entry);
    this.#paused?.delete(entry);
    if (entry.posted > 0) cancelAll(this.#state.ring, entry.fd);
    this.#takeBack(this.waiting, entry);
    this.#takeBack(this.#refused, entry);
    if (entry.posted === 0) this.#drain(entry);
  }

  /** Accepts of a closing socket that wait in this list do so no more. */
  #takeBack(list: number[], entry: Entry): void {
    for (const area of list.splice(0)) {
      if (this.#entryOf[area] !== entry.index) {
        list.push(area);
        continue;
      }
      if (this.#hand[area]! >= 0) closeNow(this.#hand[area]!);
      this.#hand[area] = -1;
      this.#free.push(area);
    }
  }

  /** An accept has completed. */
  completed(area: number, result: number): void {
    const entry = this.#state.rules.entry(this.#entryOf[area]!);
    entry.posted--;
    this.#posted--;
    if (result >= 0) {
      this.#hand[area] = result;
      this.#since[area] = this.#state.clock.now;
      this.#serve(area);
    } else if (entry.closing) this.#retire(area);
    else if (result === -EMFILE || result === -ENFILE || result === -ENOBUFS || result === -ENOMEM) {
      entry.rule.row[DROP['wait-descriptors']]! += 1;
      this.#refused.push(area);
    } else if (result === -EAGAIN) {
      // Another process has made the socket one that never waits.
      this.#refused.push(area);
    } else this.#post(area);
  }

  /** Accepts that wait go on, as far as there is room now. False: there was none at all. */
  resume(): boolean {
    const { slots, budget } = this.#state;
    const hasRoom = (): boolean => slots.available > 0 && budget.has(CONNECTION_DESCRIPTORS);
    if (!hasRoom()) return false;
    this.#isFull = false;
    while (this.waiting.length > 0 && hasRoom()) this.#serve(this.waiting.pop()!);
    return true;
  }

  /**
   * Time has passed: the kernel is asked again, and where there is no room, connections in hand are reset that have waited
   * for the connect time-out.
   */
  tick(): void {
    this.waiting.push(...this.#refused.splice(0));
    if (this.resume()) return;
    for (const area of this.waiting.splice(0)) {
      const { rule } = this.#state.rules.entry(this.#entryOf[area]!);
      if (this.#hand[area]! < 0 || this.#state.clock.now - this.#since[area]! < rule.spec.options.connectTimeoutMs) {
        this.waiting.push(area);
        continue;
      }
      this.#isFull = true;
      this.#refuse(rule, area);
      this.#post(area);
    }
  }

  /** Resets the connection in hand, which has no slot and so no record. */
  #refuse({ row }: Rule, area: number): void {
    const fd = this.#hand[area]!;
    this.#hand[area] = -1;
    row[CONNECTIONS]! += 1;
    row[LOST]! += 1;
    countEnd(row, CAUSE.limit);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, LINGER_ZERO, 8);
    closeNow(fd);
  }

  release(): void {
    this.#names.release();
  }

  #post(area: number): void {
    const entry = this.#state.rules.entry(this.#entryOf[area]!);
    if (entry.closing || this.#paused) return this.#retire(area);
    // not: posting only as many as there are slots. A thousand ports would reserve a thousand slots.
    const name = this.#clear(area);
    accept(this.#state.ring, entry.fd, area, this.#names.slab, name, name + LENGTH_AT);
    entry.posted++;
    this.#posted++;
  }

  /** Tells the kernel how much room the area has. */
  #clear(area: number): number {
    const name = this.#names.offset(area);
    this.#names.words[(name + LENGTH_AT) >> 2] = LENGTH_AT;
    return name;
  }

  /** A connection in hand gets a slot, or waits for one; then the area takes the next. */
  #serve(area: number): void {
    const entry = this.#state.rules.entry(this.#entryOf[area]!);
    const fd = this.#hand[area]!;
    if (fd >= 0) {
      const isRoomy = this.#begin(entry, area, fd);
      if (!isRoomy && !entry.closing && !this.#isFull) {
        this.waiting.push(area);
        return;
      }
      if (!isRoomy) this.#refuse(entry.rule, area);
      this.#hand[area] = -1;
    }
    this.#post(area);
  }

  #begin(entry: Entry, area: number, fd: number): boolean {
    const { budget, slots, clock } = this.#state;
    const isAdmitted = this.#isAdmitted(entry.rule, area);
    const isWithin = budget.take(CONNECTION_DESCRIPTORS);
    const slot = isWithin ? slots.take(fd, entry.index, clock.now) : -1;
    if (slot < 0) {
      if (isWithin) budget.give(CONNECTION_DESCRIPTORS);
      entry.rule.row[isWithin ? DROP['wait-slots'] : DROP['wait-descriptors']]! += 1;
      return false;
    }
    slots.names.copy(2 * slot, this.#names.words, this.#names.offset(area) >> 2);
    const { originPort } = entry.rule.takesRange ? this.#behind(entry, slot, fd) : entry;
    begin(this.#state, slot);
    if (!isAdmitted) finish(this.#state, slot, CAUSE.limit, true);
    else if (originPort === 0) finish(this.#state, slot, CAUSE['no-origin'], true);
    else dial(this.#state, slot);
    return true;
  }

  /** Whether its source and its rule may have one of the last ones. */
  #isAdmitted(rule: Rule, area: number): boolean {
    const { shares, rules, budget } = this.#state;
    const { bytes } = this.#names;
    const at = this.#names.offset(area);
    const place = shares.placeOf(bytes, addressOffset(bytes, at), addressSize(bytes, at));
    return shares.admits(place, budget.free, rule.open * CONNECTION_DESCRIPTORS, rules.rules.size === 1);
  }

  /** The socket takes a range: the connection's own name says which port its client meant. */
  #behind(socket: Entry, slot: number, fd: number): Entry {
    this.#ownLength[0] = NAME_BYTES;
    getsockname(fd, this.#own, this.#ownLength);
    const entry = this.#state.rules.behind(socket, portAt(this.#own, 0));
    this.#state.slots.entry[slot] = entry.index;
    return entry;
  }

  /** The area is no longer needed; of a closing socket, its last one was. */
  #retire(area: number): void {
    const entry = this.#state.rules.entry(this.#entryOf[area]!);
    this.#free.push(area);
    if (entry.closing && entry.posted === 0 && !isClosed(entry)) this.#drain(entry);
  }

  /** Serves the connections that the queue of a closing socket still holds, unless they are the other process's. */
  #drain(entry: Entry): void {
    const area = this.#paused ? undefined : this.#free.pop();
    if (area !== undefined) {
      fcntl(entry.fd, F_SETFL, O_NONBLOCK);
      for (let room = true; room;) {
        const name = this.#names.slab.address + this.#clear(area);
        const fd = accept4(entry.fd, name, name + LENGTH_AT, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) break;
        room = this.#begin(entry, area, fd);
        if (!room) closeNow(fd);
      }
      this.#free.push(area);
    }
    this.#closeSocket(entry);
  }

  #closeSocket(entry: Entry): void {
    // order: a submission that waits may name this descriptor, and a closed one is soon another socket's.
    this.#state.ring.enter(0, 0);
    closeNow(entry.fd);
    this.#state.rules.closed(entry);
  }
}
