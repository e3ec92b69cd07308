/**
 * The UDP sessions of one rule: which datagram opens one, where it goes, what header it carries, what is given up and
 * why. Pure; sockets are the engine's (`link` is its own mark on a session, never read here). A datagram is answered
 * only by what an origin sent: nothing in here replies.
 */
import type { DropReason, EndCause } from '../../domain/fact/fact.ts';
import { PASS_THROUGH } from '../pass-through/index.ts';
import type { Endpoint } from '../pass-through/pass-through.ts';
import { LARGEST_DATAGRAM_V4, LARGEST_DATAGRAM_V6 } from '../flow/behaviour.ts';
import { countDrop } from '../flow/counters.ts';
import type { RuleFlow } from './rule-flow.ts';
import { Seniority } from '../flow/seniority.ts';
import type { Session } from '../flow/session.ts';

export interface UdpSession<L> extends Session {
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

export interface UdpTable<L> {
  readonly size: number;
  bind(entry: Endpoint): UdpPort<L>;
  /** The port takes no more datagrams. Gives its sessions: they have no way back to their clients, close them. */
  unbind(port: UdpPort<L>): UdpSession<L>[];
  /**
   * A datagram of `size` bytes from a client. Gives the session that takes it, with `link` still undefined where it is
   * new; or undefined: dropped and counted. `again`: its packet is counted already, with a session that could not send it.
   */
  admit(port: UdpPort<L>, client: Endpoint, size: number, again?: boolean): UdpSession<L> | undefined;
  /** A reply from the origin. Gives the bytes to cut off its front, or -1: dropped and counted. */
  reply(session: UdpSession<L>, datagram: Uint8Array): number;
  /** The session is over; twice is fine. */
  close(session: UdpSession<L>, cause: EndCause): void;
  /**
   * Its origin can't be reached, or nobody listens there; the next sessions go elsewhere for a while. True: another origin
   * can take the client. Close the session, and admit again what it has not delivered (`undelivered` bytes).
   */
  refused(session: UdpSession<L>, undelivered?: number): boolean;
  /** Nothing has come back yet, and another origin could take the client: what is sent may have to be sent again. */
  mayFail(session: UdpSession<L>): boolean;
  /** After a change of the rule: the sessions that may not go on. Close them; the client's next datagram opens anew. */
  stale(): UdpSession<L>[];
  /** Now and then: those with an origin that its name no longer says, and that no longer answers. Close them, as `stale`. */
  forsaken(): UdpSession<L>[];
  /** Now and then: the sessions that have been idle too long. */
  idle(): UdpSession<L>[];
}

const NOTHING = new Uint8Array();
const largest = (address: string): number => (address.includes(':') ? LARGEST_DATAGRAM_V6 : LARGEST_DATAGRAM_V4);

interface UdpTableDeps<L> {
  /** Sessions at a time. */
  readonly most: number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  /** Whether this client may have one of what is left (flow/shares.ts); default: it may. */
  readonly admits?: (client: Endpoint) => boolean;
  /** Asked last for each new session; freeing the slot is the engine's. */
  readonly takeSlot: () => boolean;
  /** Ends this one with cause `evicted`; its slot is the newcomer's, who does not ask for another. */
  readonly evict: (session: UdpSession<L>) => void;
}

/** limit: where the table of a rule begins; it grows with its sessions. */
const FIRST_CAPACITY = 16;
/** One table, one rule: to the order of seniority all sessions are the same owner's. */
const OWNER = 0;

export function createUdpTable<L>(flow: RuleFlow, deps: UdpTableDeps<L>): UdpTable<L> {
  const { most, monotonic, takeSlot, evict } = deps;
  const ports = new Set<UdpPort<L>>();
  const seniority = new Seniority(FIRST_CAPACITY);
  /** By number. */
  const sessions: (UdpSession<L> | undefined)[] = [];
  const freeNumbers: number[] = [];
  let size = 0;
  let { mode } = flow.listener;
  let { udpHeader } = flow.listener.options;

  function drop(reason: DropReason): undefined {
    countDrop(flow.counters, reason);
  }

  function all(): UdpSession<L>[] {
    return [...ports].flatMap((port) => [...port.sessions.values()]);
  }

  /** A slot for a new session, where need be that of the one that misses it least. */
  function makeRoom(): boolean {
    if (size < most && takeSlot()) return true;
    const victim = sessions[seniority.victim(OWNER, monotonic())];
    if (victim) evict(victim);
    return victim !== undefined;
  }

  function open(port: UdpPort<L>, key: string, client: Endpoint, bytes: number): UdpSession<L> | undefined {
    const originPort = flow.originPort(port.entry.port);
    if (originPort === undefined) return drop('no-origin');
    const target = flow.choose(client.address, originPort);
    if (!target) return drop(flow.whyNone);
    const how = PASS_THROUGH[mode];
    const header = how.carrier === 'none' ? NOTHING : how.announce('UDP', client, port.entry);
    if (bytes + header.length > largest(target.address)) return drop('oversize');
    if (deps.admits?.(client) === false || !makeRoom()) return drop('limit');
    const origin = { address: target.address, port: originPort };
    const number = freeNumbers.pop() ?? sessions.length;
    const mine = { origin, header, replyHeader: how.replyHeader, port, key, number, link: undefined };
    const session: UdpSession<L> = Object.assign(flow.open(client, port.entry), mine);
    sessions[number] = session;
    seniority.opened(number, OWNER, monotonic());
    flow.settle(client.address, target.address);
    port.sessions.set(key, session);
    size++;
    return session;
  }

  return {
    get size() {
      return size;
    },
    bind(entry) {
      const port = { entry, sessions: new Map<string, UdpSession<L>>() };
      ports.add(port);
      return port;
    },
    unbind(port) {
      ports.delete(port);
      return [...port.sessions.values()];
    },
    admit(port, client, bytes, again = false) {
      if (client.port === 0) return drop('source');
      const key = `${client.address} ${client.port}`;
      let session = port.sessions.get(key);
      if (session) {
        // wire: SPP heads every datagram; PPV2 the first one of a session, unless it is asked for more (spec 16.2, 16.3).
        if (PASS_THROUGH[mode].carrier === 'start' && udpHeader !== 'each') session.header = NOTHING;
        if (bytes + session.header.length > largest(session.origin.address)) return drop('oversize');
        seniority.heard(session.number, monotonic());
      } else {
        session = open(port, key, client, bytes);
        if (!session) return undefined;
      }
      session.activity++;
      session.bytesIn += bytes;
      if (again) return session;
      flow.counters.bytesIn += bytes;
      flow.counters.packetsIn++;
      return session;
    },
    reply(session, datagram) {
      const cut = session.replyHeader;
      const bytes = datagram.length;
      if (bytes < cut || !session.header.subarray(0, cut).every((byte, i) => byte === datagram[i])) {
        drop(bytes < cut ? 'short' : 'header');
        return -1;
      }
      seniority.answered(session.number, monotonic());
      session.activity++;
      session.bytesOut += bytes - cut;
      flow.counters.bytesOut += bytes - cut;
      flow.counters.packetsOut++;
      return cut;
    },
    close(session, cause) {
      if (!session.port.sessions.delete(session.key)) return;
      size--;
      if (!seniority.isAnswered(session.number)) flow.counters.unanswered = (flow.counters.unanswered ?? 0) + 1;
      seniority.closed(session.number);
      sessions[session.number] = undefined;
      freeNumbers.push(session.number);
      flow.close(session, cause);
    },
    refused(session, undelivered = 0) {
      flow.forget(session.client.address);
      flow.rest(session.origin.address);
      const hasOther = flow.hasOther(session.origin.address, session.origin.port);
      if (hasOther) session.bytesIn -= undelivered;
      return hasOther;
    },
    mayFail: (session) =>
      !seniority.isAnswered(session.number) && flow.hasOther(session.origin.address, session.origin.port),
    stale() {
      const changed = mode !== flow.listener.mode || udpHeader !== flow.listener.options.udpHeader;
      ({ mode } = flow.listener);
      ({ udpHeader } = flow.listener.options);
      // not: drain. A datagram must not go where the rule no longer sends it, and the next one opens a session anyway.
      return all().filter((session) => flow.judge(session, true) === 'drains' || changed);
    },
    forsaken: () =>
      flow.listener.targets.some(({ left }) => left)
        ? all().filter((session) => flow.hasLeft(session) && seniority.isForsaken(session.number, monotonic()))
        : [],
    idle: () => all().filter((session) => flow.check(session) !== undefined),
  };
}
