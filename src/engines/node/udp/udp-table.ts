/**
 * The UDP sessions of one rule: which datagram opens one, where it goes, which header it carries, which are given up
 * and why. Pure; udp-side.ts has the sockets (`link` is its mark on a session, never read here). Only an origin's datagram
 * answers a client: nothing in here replies.
 */
import type { DropReason, EndCause } from '../../../domain/fact/fact.ts';
import type { Listener } from '../../engine.ts';
import { PASS_THROUGH } from '../../pass-through/index.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import { LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6 } from '../../flow/behaviour.ts';
import { countDrop } from '../../flow/counters.ts';
import { Seniority } from '../../flow/seniority.ts';
import { UDP_DRAIN_MS } from '../../flow/verdict.ts';
import type { RuleState } from '../rule-state.ts';
import type { Session } from '../sessions.ts';

export interface UdpSession<L> {
  readonly counted: Session;
  readonly origin: Endpoint;
  /** In front of the payload of the datagram that was just admitted; empty where none belongs there. */
  header: Uint8Array;
  /** Bytes to cut off each reply. */
  readonly replyHeader: number;
  readonly port: UdpPort<L>;
  readonly key: string;
  /** Small, and no other session's of this table. */
  readonly number: number;
  link: L | undefined;
}

/** The sessions that came in by one bound address and port. */
export interface UdpPort<L> {
  readonly entry: Endpoint;
  readonly sessions: Map<string, UdpSession<L>>;
}

interface UdpTableDeps<L> {
  /** Sessions at a time. */
  readonly most: number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  /** Whether this client may have one of the last descriptors (flow/shares.ts); default: it may. */
  readonly admits?: (client: Endpoint) => boolean;
  /** Asked last for each new session; freeing the slot is the caller's. */
  readonly takeSlot: () => boolean;
  /** Ends this one with cause `evicted`; its slot is the newcomer's, for which no other slot is asked. */
  readonly evict: (session: UdpSession<L>) => void;
  /** Ends this one, whose target is down, before its client's next session begins. */
  readonly move: (session: UdpSession<L>) => void;
}

const NOTHING = new Uint8Array();
/** limit: where the table of a rule begins; it grows with its sessions. */
const FIRST_CAPACITY = 16;
/** One table, one rule: to the order of seniority all sessions are the same owner's. */
const OWNER = 0;

const largest = (address: string): number => (address.includes(':') ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4);

export class UdpTable<L> {
  readonly #rule: RuleState;
  readonly #deps: UdpTableDeps<L>;
  readonly #ports = new Set<UdpPort<L>>();
  readonly #seniority = new Seniority(FIRST_CAPACITY);
  readonly #byNumber: (UdpSession<L> | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  #size = 0;
  /** As the sessions that live began. */
  #mode: Listener['mode'];
  #udpHeader: Listener['options']['udpHeader'];

  constructor(rule: RuleState, deps: UdpTableDeps<L>) {
    this.#rule = rule;
    this.#deps = deps;
    this.#mode = rule.listener.mode;
    this.#udpHeader = rule.listener.options.udpHeader;
  }

  get size(): number {
    return this.#size;
  }

  bind(entry: Endpoint): UdpPort<L> {
    const port = { entry, sessions: new Map<string, UdpSession<L>>() };
    this.#ports.add(port);
    return port;
  }

  /** The port takes no more datagrams. Gives its sessions: they have no way back to their clients, close them. */
  unbind(port: UdpPort<L>): UdpSession<L>[] {
    this.#ports.delete(port);
    return [...port.sessions.values()];
  }

  /**
   * A datagram of `size` bytes from a client. Gives the session that takes it, with `link` still undefined where it is
   * new; or undefined: dropped and counted. `again`: its packet is counted already, with a session that could not send it.
   */
  admit(port: UdpPort<L>, client: Endpoint, size: number, again = false): UdpSession<L> | undefined {
    if (client.port === 0) return this.#drop('source');
    const key = `${client.address} ${client.port}`;
    let known = port.sessions.get(key);
    if (known && this.#rule.targets.isLeft(known.origin)) {
      this.#deps.move(known);
      known = undefined;
    }
    const session = known ? this.#goOn(known, size) : this.#open(port, key, client, size);
    if (!session) return undefined;
    session.counted.activity++;
    session.counted.bytesIn += size;
    if (again) return session;
    const { counters } = this.#rule;
    counters.bytesIn += size;
    counters.packetsIn++;
    return session;
  }

  /** A reply from the origin. Gives the bytes to cut off its front, or -1: dropped and counted. */
  reply(session: UdpSession<L>, datagram: Uint8Array): number {
    const cut = session.replyHeader;
    const bytes = datagram.length;
    if (bytes < cut || !session.header.subarray(0, cut).every((byte, i) => byte === datagram[i])) {
      this.#drop(bytes < cut ? 'short' : 'header');
      return -1;
    }
    if (!this.#seniority.isAnswered(session.number)) this.#rule.tell(session.origin.address, 'ok');
    this.#seniority.answered(session.number, this.#deps.monotonic());
    session.counted.activity++;
    session.counted.bytesOut += bytes - cut;
    const { counters } = this.#rule;
    counters.bytesOut += bytes - cut;
    counters.packetsOut++;
    return cut;
  }

  /** The session is over; twice is fine. */
  close(session: UdpSession<L>, cause: EndCause): void {
    if (!session.port.sessions.delete(session.key)) return;
    this.#size--;
    const { counters, sessions } = this.#rule;
    if (!this.#seniority.isAnswered(session.number)) counters.unanswered = (counters.unanswered ?? 0) + 1;
    this.#seniority.closed(session.number);
    this.#byNumber[session.number] = undefined;
    this.#freeNumbers.push(session.number);
    sessions.close(session.counted, cause);
  }

  /**
   * Its origin can't be reached, or no program listens there; the next sessions go elsewhere for a while. True: another origin
   * can take the client. Close the session, and admit again what it has not delivered (`undelivered` bytes).
   */
  refused(session: UdpSession<L>, undelivered = 0): boolean {
    const { targets } = this.#rule;
    targets.settle(session.counted.client.address, undefined);
    targets.rest(session.origin.address);
    const hasOther = targets.hasOther(session.origin);
    if (hasOther) session.counted.bytesIn -= undelivered;
    return hasOther;
  }

  /** Nothing has come back yet, and another origin could take the client: what is sent may have to be sent again. */
  mayMove(session: UdpSession<L>): boolean {
    return !this.#seniority.isAnswered(session.number) && this.#rule.targets.hasOther(session.origin);
  }

  /** After a change of the rule: the next due() names the sessions that have lost their place. */
  judge(): void {
    const { listener, targets, sessions } = this.#rule;
    const { udpHeader } = listener.options;
    const isHeadedSo = this.#mode === listener.mode && this.#udpHeader === udpHeader;
    this.#mode = listener.mode;
    this.#udpHeader = udpHeader;
    for (const session of this.#all())
      sessions.judge(session.counted, targets.keeps(session.origin, session.port.entry.port, isHeadedSo), UDP_DRAIN_MS);
  }

  /** Now and then, and after a change: the sessions that must end, and why. Close them; the next datagram opens anew. */
  due(): [UdpSession<L>, EndCause][] {
    const { targets, sessions } = this.#rule;
    const { left } = targets;
    const now = this.#deps.monotonic();
    const ending: [UdpSession<L>, EndCause][] = [];
    for (const session of this.#all()) {
      const isForsaken = left.size > 0 && this.#seniority.isForsaken(session.number, now);
      if (isForsaken && left.has(session.origin.address)) sessions.judge(session.counted, false, UDP_DRAIN_MS);
      const cause = sessions.due(session.counted);
      if (cause) ending.push([session, cause]);
    }
    return ending;
  }

  *#all(): Generator<UdpSession<L>> {
    for (const port of this.#ports) yield* port.sessions.values();
  }

  #goOn(session: UdpSession<L>, size: number): UdpSession<L> | undefined {
    // wire: SPP heads every datagram; PPV2 the first one of a session, unless it is asked for more (spec 16.2, 16.3).
    if (PASS_THROUGH[this.#mode].carrier === 'start' && this.#udpHeader !== 'each') session.header = NOTHING;
    if (size + session.header.length > largest(session.origin.address)) return this.#drop('oversize');
    this.#seniority.heard(session.number, this.#deps.monotonic());
    return session;
  }

  #open(port: UdpPort<L>, key: string, client: Endpoint, size: number): UdpSession<L> | undefined {
    const { targets, sessions } = this.#rule;
    const originPort = targets.originPort(port.entry.port);
    if (originPort === undefined) return this.#drop('no-origin');
    const target = targets.choose(client.address, originPort);
    if (!target) return this.#drop(targets.whyNone);
    const how = PASS_THROUGH[this.#mode];
    const header = how.carrier === 'none' ? NOTHING : how.announce('UDP', client, port.entry);
    if (size + header.length > largest(target.address)) return this.#drop('oversize');
    if (this.#deps.admits?.(client) === false || !this.#makeRoom()) return this.#drop('limit');
    const origin = { address: target.address, port: originPort };
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length;
    const counted = sessions.open(client, port.entry);
    counted.origin = origin;
    const { replyHeader } = how;
    const place = { port, key, number };
    const session: UdpSession<L> = { ...place, counted, origin, header, replyHeader, link: undefined };
    this.#byNumber[number] = session;
    this.#seniority.opened(number, OWNER, this.#deps.monotonic());
    targets.settle(client.address, target.address);
    port.sessions.set(key, session);
    this.#size++;
    return session;
  }

  /** A slot for a new session, where need be that of the one that misses it least. */
  #makeRoom(): boolean {
    if (this.#size < this.#deps.most && this.#deps.takeSlot()) return true;
    const victim = this.#byNumber[this.#seniority.victim(OWNER, this.#deps.monotonic())];
    if (victim) this.#deps.evict(victim);
    return victim !== undefined;
  }

  #drop(reason: DropReason): undefined {
    countDrop(this.#rule.counters, reason);
  }
}
