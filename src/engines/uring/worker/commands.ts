/**
 * Carries out what the agent's thread commands, between two batches, and answers when it is true. It refuses to wait: what
 * takes time (a socket that still has accepts under way, connections that drain) goes on in the loop of worker.ts.
 */
import { close } from '../../../linux/ffi/libc.ts';
import { cancelAll } from '../ring/operations.ts';
import { finish } from '../tcp/relay.ts';
import type { Relay } from '../tcp/relay.ts';
import { FREE } from '../tcp/slots.ts';
import { countOverflow, dropsOf } from '../udp/overflow.ts';
import { Udp, listenUdp } from '../udp/udp.ts';
import { adoptSessions, holdUdp, isHeld, releaseUdp, sessionsOf } from '../udp/udp-handoff.ts';
import { endSession, judgeSessions } from '../udp/udp-sessions.ts';
import { CAUSE } from './counters.ts';
import type { EntrySpec, FromWorker, RuleSpec, ToWorker } from './messages.ts';
import { reviewConnections } from './review.ts';
import type { Entry } from './rule.ts';

export class Commands {
  readonly #say: (message: FromWorker) => void;
  /** Sockets that must be closed before a command is answered, by its number. */
  readonly #closing = new Map<number, Set<Entry>>();
  /** The `handOver` whose receives are still under way, and the `pause` whose accepts are. */
  #handingOver: number | undefined;
  #pausing: number | undefined;
  #stopAt = Infinity;

  constructor(say: (message: FromWorker) => void) {
    this.#say = say;
  }

  take(r: Relay, command: ToWorker): void {
    switch (command.kind) {
      case 'apply':
        return this.#apply(r, command.seq, command.rule);
      case 'remove':
        return this.#remove(r, command.seq, command.index);
      case 'handOver':
        holdUdp(r);
        this.#handingOver = command.seq;
        return this.look(r);
      case 'pause':
        r.acceptor.pause(r);
        this.#pausing = command.seq;
        return this.look(r);
      case 'resume':
      case 'begin':
        this.#handingOver = this.#pausing = undefined;
        r.acceptor.begin(r);
        releaseUdp(r);
        return this.#done(command.seq);
      case 'stop':
        return this.#stop(r, command.seq, command.drainMs);
      default:
        throw new Error(`no such command: ${JSON.stringify(command)}`);
    }
  }

  /** Called between two batches: answers `handOver` and `pause` once nothing is received, or accepted, any more. */
  look(r: Relay): void {
    const [handingOver, pausing] = [this.#handingOver, this.#pausing];
    if (handingOver !== undefined && isHeld(r)) {
      this.#handingOver = undefined;
      this.#say({ kind: 'done', seq: handingOver, sessions: sessionsOf(r) });
    }
    if (pausing !== undefined && r.acceptor.isStill) {
      this.#pausing = undefined;
      this.#done(pausing);
    }
  }

  /** Nothing is under way on the socket of this closing entry: it can go. */
  idle(r: Relay, entry: Entry): void {
    // order: what is about to be submitted may name this descriptor, and a closed one soon names another socket.
    r.ring.enter(0, 0);
    if (isUdp(entry)) countOverflow(entry.rule, entry.fd, entry.overflowed);
    close(entry.fd);
    r.rules.closed(entry);
    for (const [seq, entries] of this.#closing) {
      if (entries.delete(entry) && entries.size === 0) this.#done(seq);
    }
  }

  get stopping(): boolean {
    return this.#stopAt !== Infinity;
  }

  /** After `stop`: whether the loop may end. Then nothing is open any more, and everything is answered. */
  over(r: Relay): boolean {
    if (this.#stopAt === Infinity || r.rules.bound > 0) return false;
    if (r.slots.used > 0 && r.now < this.#stopAt) return false;
    endAll(r);
    for (const seq of this.#closing.keys()) this.#done(seq);
    return true;
  }

  #apply(r: Relay, seq: number, spec: RuleSpec): void {
    const before = r.rules.rules.get(spec.index)?.spec;
    const { rule, added, gone } = r.rules.apply(spec);
    if (spec.protocol === 'UDP') startUdp(r);
    for (const entry of added) openEntry(r, entry, spec.entries);
    this.#closeAll(r, seq, gone);
    reviewConnections(r, rule);
    judgeSessions(r, rule, before !== undefined && headsOtherwise(before, spec));
  }

  #remove(r: Relay, seq: number, index: number): void {
    const rule = r.rules.rules.get(index);
    if (!rule) return this.#done(seq);
    rule.removed = true;
    const gone = [...rule.entries].filter((entry) => !entry.closing);
    this.#closeAll(r, seq, gone);
    reviewConnections(r, rule);
    judgeSessions(r, rule, false);
    if (rule.open === 0 && gone.length === 0) r.rules.rules.delete(index);
  }

  #stop(r: Relay, seq: number, drainMs: number): void {
    this.#stopAt = r.now + drainMs;
    for (const rule of r.rules.rules.values()) {
      rule.removed = true;
      for (const entry of rule.entries) if (!entry.closing) closeEntry(r, entry);
    }
    // Answered by over().
    this.#closing.set(seq, new Set());
  }

  #closeAll(r: Relay, seq: number, gone: readonly Entry[]): void {
    if (gone.length === 0) return this.#done(seq);
    this.#closing.set(seq, new Set(gone));
    for (const entry of gone) closeEntry(r, entry);
  }

  #done(seq: number): void {
    this.#closing.delete(seq);
    this.#say({ kind: 'done', seq });
  }
}

/** With the first UDP rule. */
function startUdp(r: Relay): void {
  if (r.udp) return;
  r.udp = new Udp(r, r.sessions, r.flowFds);
  r.udp.isPaused = r.acceptor.isHeld;
  r.mapped();
}

function openEntry(r: Relay, entry: Entry, specs: readonly EntrySpec[]): void {
  if (!isUdp(entry)) {
    r.acceptor.open(r, entry);
    return;
  }
  entry.overflowed = dropsOf(entry.fd);
  adoptSessions(r, entry, specs.find(({ fd }) => fd === entry.fd)?.sessions ?? []);
  listenUdp(r, entry);
}

/** No more from this socket; what it holds already is served. */
function closeEntry(r: Relay, entry: Entry): void {
  if (!isUdp(entry)) return r.acceptor.close(r, entry);
  entry.closing = true;
  if (entry.posted > 0) cancelAll(r.ring, entry.fd);
  else r.entryIdle(entry);
}

/** Everything that is still open ends; sessions that another process has taken over only end here. */
function endAll(r: Relay): void {
  const { slots, udp } = r;
  for (let slot = 0; slot < slots.capacity; slot++)
    if (slots.state[slot] !== FREE) finish(r, slot, CAUSE.shutdown, true);
  for (let flow = 0; udp && flow < udp.flows.capacity; flow++)
    if (udp.flows.open[flow] === 1) endSession(r, flow, udp.isPaused ? -1 : CAUSE.shutdown);
  // Closes are submissions too.
  r.ring.enter(0, 0);
  r.pipes.release();
}

/** Whether datagrams get another header than before, which sessions cannot follow. */
function headsOtherwise(before: RuleSpec, { mode, options }: RuleSpec): boolean {
  return before.mode !== mode || before.options.udpHeader !== options.udpHeader;
}

function isUdp({ rule }: Entry): boolean {
  return rule.spec.protocol === 'UDP';
}
