/**
 * Carries out what the agent's thread commands, between two batches, and answers when it is true. It refuses to wait: what
 * takes time (a socket that still has accepts under way, connections that drain) goes on in the loop of worker.ts.
 */
import { NEVER } from '../../flow/verdict.ts';
import { cancelAll } from '../ring/operations.ts';
import { finish } from '../tcp/connection.ts';
import { FREE } from '../tcp/slots.ts';
import { adoptSessions, hasStoppedReceiving, resumeReceiving, sessionsOf, stopReceiving } from '../udp/handoff.ts';
import { listenToClients } from '../udp/receive.ts';
import { leaveDown } from '../udp/fail-over.ts';
import { endSession, reviewSessions } from '../udp/sessions.ts';
import { dropsOf } from '../udp/socket-drops.ts';
import { closeSocket } from '../udp/udp.ts';
import { CAUSE } from './counters.ts';
import type { EntrySpec, FromWorker, RuleSpec, ToWorker } from './messages.ts';
import type { Relay } from './relay.ts';
import { reviewConnections } from './review.ts';
import { isClosed } from './rule.ts';
import type { Entry } from './rule.ts';

export class Commands {
  readonly #say: (message: FromWorker) => void;
  /** Sockets that must be closed before a command is answered, by its number. */
  readonly #closing = new Map<number, readonly Entry[]>();
  /** The `handOver` whose receives are still under way, and the `pause` whose accepts are. */
  #handingOver: number | undefined;
  #pausing: number | undefined;
  /** The `stop` that over() answers, and its deadline. */
  #stopping: number | undefined;
  #stopAt = NEVER;
  /** Only this file writes these two: something is to be looked at; a `stop` has come. */
  isWaiting = false;
  isStopping = false;

  constructor(say: (message: FromWorker) => void) {
    this.#say = say;
  }

  take(r: Relay, command: ToWorker): void {
    switch (command.kind) {
      case 'apply':
        this.#apply(r, command.seq, command.rule);
        break;
      case 'remove':
        this.#remove(r, command.seq, command.index);
        break;
      case 'states':
        r.leaveDown.restart();
        if (r.udp) leaveDown(r.udp);
        this.#done(command.seq);
        break;
      case 'handOver':
        if (r.udp) stopReceiving(r.udp);
        this.#handingOver = command.seq;
        break;
      case 'pause':
        r.acceptor.pause();
        this.#pausing = command.seq;
        break;
      case 'resume':
      case 'begin':
        this.#handingOver = this.#pausing = undefined;
        r.acceptor.begin();
        if (r.udp) {
          resumeReceiving(r.udp);
          leaveDown(r.udp);
        }
        this.#done(command.seq);
        break;
      case 'stop':
        this.#stop(r, command.seq, command.drainMs);
        break;
      default:
        throw new Error(`no such command: ${JSON.stringify(command)}`);
    }
    this.look(r);
  }

  /** Called between two batches: answers each command that has become true. */
  look(r: Relay): void {
    const handingOver = this.#handingOver;
    const pausing = this.#pausing;
    if (handingOver !== undefined && (!r.udp || hasStoppedReceiving(r.udp))) {
      this.#handingOver = undefined;
      this.#say({ kind: 'done', seq: handingOver, sessions: r.udp ? sessionsOf(r.udp) : [] });
    }
    if (pausing !== undefined && r.acceptor.hasStopped) {
      this.#pausing = undefined;
      this.#done(pausing);
    }
    for (const [seq, entries] of this.#closing) if (entries.every(isClosed)) this.#done(seq);
    this.isWaiting = this.#closing.size > 0 || this.#handingOver !== undefined || this.#pausing !== undefined;
  }

  /** After `stop`: whether the loop may end. Then nothing is open any more, and everything is answered. */
  over(r: Relay): boolean {
    const { slots, rules, clock } = r.tcp;
    if (rules.bound > 0) return false;
    if (slots.available < slots.capacity && clock.now < this.#stopAt) return false;
    endAll(r);
    for (const seq of this.#closing.keys()) this.#done(seq);
    if (this.#stopping !== undefined) this.#done(this.#stopping);
    return true;
  }

  #apply(r: Relay, seq: number, spec: RuleSpec): void {
    const { rules } = r.tcp;
    const before = rules.rules.get(spec.index)?.spec;
    const { rule, added, gone } = rules.apply(spec);
    for (const entry of added) openEntry(r, entry, spec.entries);
    this.#closeAll(r, seq, gone);
    reviewConnections(r.tcp, rule);
    r.leaveDown.restart();
    if (r.udp) reviewSessions(r.udp, rule, before !== undefined && headsOtherwise(before, spec));
  }

  #remove(r: Relay, seq: number, index: number): void {
    const { rules } = r.tcp.rules;
    const rule = rules.get(index);
    if (!rule) return this.#done(seq);
    rule.removed = true;
    const gone = [...rule.entries].filter((entry) => !entry.closing);
    this.#closeAll(r, seq, gone);
    reviewConnections(r.tcp, rule);
    if (r.udp) reviewSessions(r.udp, rule, false);
    if (rule.open === 0 && gone.length === 0) rules.delete(index);
  }

  #stop(r: Relay, seq: number, drainMs: number): void {
    const { rules, clock } = r.tcp;
    this.isStopping = true;
    this.#stopping = seq;
    this.#stopAt = clock.now + drainMs;
    for (const rule of rules.rules.values()) {
      rule.removed = true;
      for (const entry of rule.entries) if (!entry.closing) closeEntry(r, entry);
    }
  }

  #closeAll(r: Relay, seq: number, gone: readonly Entry[]): void {
    if (gone.length === 0) return this.#done(seq);
    this.#closing.set(seq, gone);
    for (const entry of gone) closeEntry(r, entry);
  }

  #done(seq: number): void {
    this.#closing.delete(seq);
    this.#say({ kind: 'done', seq });
  }
}

function openEntry(r: Relay, entry: Entry, specs: readonly EntrySpec[]): void {
  if (!isUdp(entry)) return r.acceptor.open(entry);
  const udp = r.openUdp();
  entry.overflowed = dropsOf(entry.fd);
  adoptSessions(udp, entry, specs.find(({ fd }) => fd === entry.fd)?.sessions ?? []);
  listenToClients(udp, entry);
}

/** No more from this socket; what it holds already is served. */
function closeEntry({ acceptor, udp }: Relay, entry: Entry): void {
  if (!isUdp(entry)) return acceptor.close(entry);
  entry.closing = true;
  if (entry.posted > 0) cancelAll(udp!.ring, entry.fd);
  else closeSocket(udp!, entry);
}

/** Everything that is still open ends; sessions that another process has taken over only end here. */
function endAll({ tcp, udp }: Relay): void {
  const { slots } = tcp;
  for (let slot = 0; slot < slots.capacity; slot++)
    if (slots.state[slot] !== FREE) finish(tcp, slot, CAUSE.shutdown, true);
  for (let flow = 0; udp && flow < udp.flows.capacity; flow++)
    if (udp.flows.sockets.fd[flow]! >= 0) endSession(udp, flow, udp.datagrams.isPaused ? -1 : CAUSE.shutdown);
  // Closes are submissions too.
  tcp.ring.enter(0, 0);
  tcp.pipes.release();
}

/** Whether datagrams get another header than before, which sessions cannot follow. */
function headsOtherwise(before: RuleSpec, { mode, options }: RuleSpec): boolean {
  return before.mode !== mode || before.options.udpHeader !== options.udpHeader;
}

function isUdp({ rule }: Entry): boolean {
  return rule.spec.protocol === 'UDP';
}
