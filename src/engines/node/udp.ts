/**
 * The sockets of a rule's UDP sessions: one listening socket per address and port, and one connected socket per session,
 * so that the system itself takes replies from the origin alone. What happens to a datagram is node/udp-table.ts's.
 */
import type { Socket } from 'node:dgram';
import type { EndCause } from '../../domain/fact/fact.ts';
import { dialCause, isOutOfDescriptors } from '../flow/causes.ts';
import { countDrop } from '../flow/counters.ts';
import type { BindPoint } from '../flow/endpoints.ts';
import type { Budget } from '../flow/budget.ts';
import type { RuleFlow } from './rule-flow.ts';
import { createUdpTable, type UdpPort, type UdpSession, type UdpTable } from './udp-table.ts';
import { type Endpoint, plainAddress } from '../pass-through/pass-through.ts';
import type { Admission } from './admission.ts';
import { bindUdp, udpSocket, UDP_BUFFER } from './bind.ts';
import { sharePort } from './system.ts';

interface Sent {
  readonly header: Uint8Array;
  readonly datagram: Buffer;
}

interface Upstream {
  readonly socket: Socket;
  /** Where replies go; as the system writes it, with the zone of a link-local address. */
  readonly client: Endpoint;
  /** What came before the socket was connected; undefined once it is. */
  early: Sent[] | undefined;
  /** What was sent first, while nothing has come back: another origin gets it where this one fails. */
  held: Buffer | undefined;
}

interface UdpSide {
  /** Rejects with the system's error. The answer closes the port and ends its sessions. */
  open(point: BindPoint, fd?: number): Promise<(cause: EndCause) => void>;
  /** After a change of the rule: ends what may not go on. */
  reconcile(): void;
  /** Now and then. */
  sweep(): void;
}

/** limit: connecting a UDP socket takes one turn of the loop; more than this in one turn is a flood. */
const MOST_EARLY = 64;
/** limit: beyond this the system is not taking our datagrams, and old ones are worth less than memory. */
const MOST_QUEUED = 1_048_576;

interface UdpSideDeps {
  readonly budget: Budget;
  readonly admission: Admission;
  readonly mostUdpSessions: number;
  readonly monotonic: () => number;
}

export function createUdpSide(flow: RuleFlow, { budget, admission, mostUdpSessions, monotonic }: UdpSideDeps): UdpSide {
  const listeners = new Map<UdpPort<Upstream>, Socket>();
  const table: UdpTable<Upstream> = createUdpTable(flow, {
    most: mostUdpSessions,
    monotonic,
    admits: (client) => admission.admits(client.address, table.size),
    takeSlot: () => budget.tryHold(),
    evict(session) {
      // order: held before it is released, so that the newcomer gets it and not a connection that waits.
      budget.hold();
      end(session, 'evicted');
    },
  });

  /** `again`: it is counted already, with a session whose origin failed. */
  function place(port: UdpPort<Upstream>, from: Endpoint, datagram: Buffer, again = false): void {
    const client = { address: plainAddress(from.address), port: from.port };
    const session = table.admit(port, client, datagram.length, again);
    if (!session) return;
    const sent = { header: session.header, datagram };
    const { link } = session;
    if (!link) connect(session, from, sent);
    else if (!link.early) send(session, link, sent);
    else if (link.early.length < MOST_EARLY) link.early.push(sent);
    else countDrop(flow.counters, 'queue');
  }

  function send(session: UdpSession<Upstream>, link: Upstream, { header, datagram }: Sent): void {
    if (link.socket.getSendQueueSize() > MOST_QUEUED) return countDrop(flow.counters, 'queue');
    if (!link.held && table.mayFail(session)) link.held = datagram;
    link.socket.send(header.length === 0 ? [datagram] : [header, datagram], (error: NodeJS.ErrnoException | null) => {
      if (error) failed(session, link, error.code, datagram);
    });
  }

  function connect(session: UdpSession<Upstream>, client: Endpoint, first: Sent): void {
    const { address, port } = session.origin;
    const socket = udpSocket(address, UDP_BUFFER);
    const link: Upstream = { socket, client, early: [first], held: undefined };
    // order: before connect, which may fail at once.
    session.link = link;
    admission.add(session.client.address, 1);
    socket.on('message', (datagram) => reply(session, datagram));
    socket.on('error', (error: NodeJS.ErrnoException) => failed(session, link, error.code));
    socket.once('connect', () => {
      if (session.link !== link) return;
      // not: before it has its port, which would be one that another session has, too.
      sharePort(socket, true);
      const early = link.early ?? [];
      link.early = undefined;
      for (const sent of early) send(session, link, sent);
    });
    socket.connect(port, address);
  }

  function reply(session: UdpSession<Upstream>, datagram: Buffer): void {
    const listening = listeners.get(session.port);
    const { link } = session;
    const cut = table.reply(session, datagram);
    if (cut < 0 || !listening || !link) return;
    link.held = undefined;
    const { address, port } = link.client;
    if (listening.getSendQueueSize() > MOST_QUEUED) countDrop(flow.counters, 'queue');
    // order: the listening socket sends, so the reply leaves from the address and port that the client used.
    else listening.send(cut === 0 ? datagram : datagram.subarray(cut), port, address);
  }

  /** The system says so of what was sent before, or of `datagram`, which has not left then. */
  function failed(session: UdpSession<Upstream>, link: Upstream, code: string | undefined, datagram?: Buffer): void {
    if (code === 'EMSGSIZE') return countDrop(flow.counters, 'oversize');
    if (session.link !== link) return;
    if (isOutOfDescriptors(code)) return end(session, 'limit');
    const isBound = link.early === undefined;
    // A bind that failed so: this machine has no address of the origin's family.
    const cause = !isBound && code === 'EADDRNOTAVAIL' ? 'origin-unreachable' : dialCause(code);
    const undelivered = new Set(link.early?.map((early) => early.datagram));
    for (const one of [link.held, datagram]) if (one) undelivered.add(one);
    const bytes = [...undelivered].reduce((sum, { length }) => sum + length, 0);
    const goesOn = cause.startsWith('origin-') && table.refused(session, bytes);
    if (goesOn || !isBound) end(session, cause);
    if (goesOn) for (const one of undelivered) place(session.port, link.client, one, true);
  }

  function end(session: UdpSession<Upstream>, cause: EndCause): void {
    if (!session.link) return;
    table.close(session, cause);
    session.link.socket.close();
    session.link = undefined;
    admission.add(session.client.address, -1);
    budget.release();
  }

  return {
    async open(point, fd) {
      const listening = await bindUdp(point, fd);
      const port = table.bind({ address: point.address, port: point.port });
      listeners.set(port, listening);
      listening.on('message', (datagram, from) => place(port, from, datagram));
      budget.hold();
      return (cause) => {
        listeners.delete(port);
        for (const session of table.unbind(port)) end(session, cause);
        listening.close();
        budget.release();
      };
    },
    reconcile() {
      for (const session of table.stale()) end(session, 'drained');
    },
    sweep() {
      for (const session of table.forsaken()) end(session, 'drained');
      for (const session of table.idle()) end(session, 'idle');
    },
  };
}
