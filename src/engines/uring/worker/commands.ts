/**
 * Carries out what the agent's thread orders, between two batches, and answers when it is true. It refuses to wait: what
 * takes time (a socket that still has accepts under way, connections that drain) goes on in the loop.
 */
import type { FromWorker, RuleSpec, ToWorker } from './messages.ts';
import { CAUSE } from './counters.ts';
import { close } from '../../../linux/ffi/libc.ts';
import { deadlineAfter, drainMs } from '../../flow/verdict.ts';
import { cancelAll } from '../ring/operations.ts';
import { countOverflow, dropsOf } from '../udp/overflow.ts';
import { arm, finish } from '../tcp/relay.ts';
import type { Relay } from '../tcp/relay.ts';
import { keepsTarget } from './rule.ts';
import type { Entry, Rule } from './rule.ts';
import { DIALLING, FREE } from '../tcp/slots.ts';
import { portAt } from '../ring/sockaddr.ts';
import { Udp, listenUdp } from '../udp/udp.ts';
import { adoptSessions, holdUdp, isHeld, releaseUdp, sessionsOf } from '../udp/udp-handoff.ts';
import { endSession, judgeSessions } from '../udp/udp-sessions.ts';

export class Commands {
  readonly #say: (message: FromWorker) => void;
  /** Order → sockets that it waits for. */
  readonly #waiting = new Map<number, Set<Entry>>();
  #stopAt = Infinity;
  /** The order to hold that waits for its receives to end, and the one to pause that waits for its accepts to. */
  #holding: number | undefined;
  #pausing: number | undefined;

  constructor(say: (message: FromWorker) => void) {
    this.#say = say;
  }

  take(r: Relay, order: ToWorker): void {
    switch (order.kind) {
      case 'apply':
        return this.#apply(r, order.seq, order.rule);
      case 'remove':
        return this.#remove(r, order.seq, order.index);
      case 'hold':
        holdUdp(r);
        this.#holding = order.seq;
        return this.look(r);
      case 'pause':
        r.acceptor.pause(r);
        this.#pausing = order.seq;
        return this.look(r);
      case 'release':
        this.#holding = this.#pausing = undefined;
        r.acceptor.begin(r);
        releaseUdp(r);
        return this.#done(order.seq);
      case 'stop':
        return this.#stop(r, order.seq, order.drainMs);
      default:
        throw new Error(`no such order: ${JSON.stringify(order)}`);
    }
  }

  /** Between two batches: whether what was to be held or paused is still. */
  look(r: Relay): void {
    const [held, paused] = [this.#holding, this.#pausing];
    if (held !== undefined && isHeld(r)) {
      this.#holding = undefined;
      this.#say({ kind: 'done', seq: held, sessions: sessionsOf(r) });
    }
    if (paused !== undefined && r.acceptor.isStill) {
      this.#pausing = undefined;
      this.#done(paused);
    }
  }

  /** Nothing is under way on the socket of this closing entry: it can go. */
  idle(r: Relay, entry: Entry): void {
    // order: what is about to be submitted may name this descriptor, and a closed one is soon somebody else's.
    r.ring.enter(0, 0);
    if (isUdp(entry)) countOverflow(entry.rule, entry.fd, entry.overflowed);
    close(entry.fd);
    r.rules.closed(entry);
    for (const [seq, entries] of this.#waiting) {
      if (entries.delete(entry) && entries.size === 0) this.#done(seq);
    }
  }

  get stopping(): boolean {
    return this.#stopAt !== Infinity;
  }

  /** After `stop`: whether the loop may end. */
  over(r: Relay): boolean {
    if (this.#stopAt === Infinity || r.rules.bound > 0) return false;
    if (r.slots.used > 0 && r.now < this.#stopAt) return false;
    for (let slot = 0; slot < r.slots.capacity; slot++) {
      if (r.slots.state[slot] !== FREE) finish(r, slot, CAUSE.shutdown, true);
    }
    for (let flow = 0; r.udp && flow < r.udp.flows.capacity; flow++) {
      if (r.udp.flows.open[flow] === 1) endSession(r, flow, r.udp.isPaused ? -1 : CAUSE.shutdown);
    }
    // Closes are submissions too.
    r.ring.enter(0, 0);
    r.pipes.release();
    for (const seq of this.#waiting.keys()) this.#done(seq);
    return true;
  }

  #apply(r: Relay, seq: number, spec: RuleSpec): void {
    const before = r.rules.rules.get(spec.index)?.spec;
    const { rule, added, gone } = r.rules.apply(spec);
    if (spec.protocol === 'UDP' && !r.udp) {
      r.udp = new Udp(r, r.sessions, r.flowFds);
      r.udp.isPaused = r.acceptor.isHeld;
      r.mapped();
    }
    for (const entry of added) {
      if (isUdp(entry)) {
        entry.overflowed = dropsOf(entry.fd);
        adoptSessions(r, entry, spec.entries.find(({ fd }) => fd === entry.fd)?.sessions ?? []);
        listenUdp(r, entry);
      } else r.acceptor.open(r, entry);
    }
    this.#closeAll(r, seq, gone);
    judge(r, rule);
    judgeSessions(r, rule, before !== undefined && headsOtherwise(before, spec));
  }

  #remove(r: Relay, seq: number, index: number): void {
    const rule = r.rules.rules.get(index);
    if (!rule) return this.#done(seq);
    rule.removed = true;
    const gone = [...rule.entries].filter((entry) => !entry.closing);
    this.#closeAll(r, seq, gone);
    judge(r, rule);
    judgeSessions(r, rule, false);
    if (rule.open === 0 && gone.length === 0) r.rules.rules.delete(index);
  }

  #stop(r: Relay, seq: number, drainMs: number): void {
    this.#stopAt = r.now + drainMs;
    for (const rule of r.rules.rules.values()) {
      rule.removed = true;
      for (const entry of rule.entries) if (!entry.closing) closeEntry(r, entry);
    }
    this.#waiting.set(seq, new Set());
  }

  #closeAll(r: Relay, seq: number, gone: readonly Entry[]): void {
    if (gone.length === 0) return this.#done(seq);
    this.#waiting.set(seq, new Set(gone));
    for (const entry of gone) closeEntry(r, entry);
  }

  #done(seq: number): void {
    this.#waiting.delete(seq);
    this.#say({ kind: 'done', seq });
  }
}

const headsOtherwise = (before: RuleSpec, { mode, options }: RuleSpec): boolean =>
  before.mode !== mode || before.options.udpHeader !== options.udpHeader;

/** No more from this socket; what it holds already is served. */
function closeEntry(r: Relay, entry: Entry): void {
  if (!isUdp(entry)) return r.acceptor.close(r, entry);
  entry.closing = true;
  if (entry.posted > 0) cancelAll(r.ring, entry.fd);
  else r.entryIdle(entry);
}

/** After a change: a connection whose entry is bound and whose origin is still the rule's stays; others are to drain. */
function judge(r: Relay, rule: Rule): void {
  const { slots: s } = r;
  const ms = drainMs(rule.spec.options.drain);
  for (let slot = 0; slot < s.capacity; slot++) {
    if (s.state[slot] === FREE || s.rule[slot] !== rule.index) continue;
    const entry = followEntry(r, slot);
    const port = s.state[slot] === DIALLING ? 0 : portAt(s.names, s.nameOffset(slot, 1));
    s.cutAt[slot] = deadlineAfter(keepsTarget(entry, s.target[slot]!, port), ms, r.now, s.cutAt[slot]!);
    if (r.now >= s.cutAt[slot]!) finish(r, slot, CAUSE.drained, true);
    // Its times may be others now, too.
    else arm(r, slot);
  }
}

/** The entry of a connection; its successor where it is closing and has one. */
function followEntry(r: Relay, slot: number): Entry {
  const { slots: s, rules } = r;
  const entry = rules.entry(s.entry[slot]!);
  const next = entry.closing ? rules.successor(entry) : undefined;
  if (!next) return entry;
  // order: first the new one, so that the rule never looks as if nobody used it.
  rules.opened(next);
  s.entry[slot] = next.index;
  rules.ended(entry);
  return next;
}

const isUdp = ({ rule }: Entry): boolean => rule.spec.protocol === 'UDP';
