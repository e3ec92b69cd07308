/**
 * The sockets of a rule's UDP sessions: one listening socket per address and port, and one connected socket per session,
 * so that the system itself takes replies from the origin alone. What happens to a datagram is flow/udp-table.ts's.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import type { EndCause } from '../../../link/facts.ts';
import { dialCause, isOutOfDescriptors } from '../../flow/causes.ts';
import { countDrop } from '../../flow/counters.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import type { Budget } from '../../flow/budget.ts';
import type { RuleFlow } from '../../flow/rule-flow.ts';
import { createUdpTable, type UdpPort, type UdpSession } from '../../flow/udp-table.ts';
import { plainAddress } from '../../pass-through/pass-through.ts';
import { bindUdp, udpSocket } from './bind.ts';

interface Upstream {
  readonly socket: Socket;
  /** Datagrams that came before the socket was connected; undefined once it is. */
  early: Uint8Array[][] | undefined;
}

export interface UdpSide {
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

export interface UdpSideDeps {
  readonly budget: Budget;
  readonly mostUdpSessions: number;
  readonly monotonic: () => number;
}

export function createUdpSide(flow: RuleFlow, { budget, mostUdpSessions, monotonic }: UdpSideDeps): UdpSide {
  const table = createUdpTable<Upstream>(flow, {
    most: mostUdpSessions,
    monotonic,
    takeSlot: () => budget.tryHold(),
    evict: (session) => end(session, 'evicted'),
  });

  function forward(session: UdpSession<Upstream>, datagram: Buffer): void {
    const { link, header } = session;
    if (!link) return;
    const parts = header.length === 0 ? [datagram] : [header, datagram];
    if (!link.early) send(link.socket, parts);
    else if (link.early.length < MOST_EARLY) link.early.push(parts);
    else countDrop(flow.counters, 'queue');
  }

  function send(socket: Socket, parts: Uint8Array[]): void {
    if (socket.getSendQueueSize() > MOST_QUEUED) countDrop(flow.counters, 'queue');
    else socket.send(parts);
  }

  function connect(session: UdpSession<Upstream>, reply: (datagram: Buffer) => void): Upstream {
    const { address, port } = session.origin;
    const socket = udpSocket(address);
    const link: Upstream = { socket, early: [] };
    socket.on('message', reply);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (session.link !== link) return;
      const cause = dialCause(error.code);
      if (isOutOfDescriptors(error.code)) end(session, 'limit');
      else if (link.early) end(session, cause);
      else if (cause === 'origin-refused' && table.refused(session)) end(session, cause);
    });
    socket.once('connect', () => {
      if (session.link !== link) return;
      for (const parts of link.early ?? []) send(socket, parts);
      link.early = undefined;
    });
    socket.connect(port, address);
    return link;
  }

  function end(session: UdpSession<Upstream>, cause: EndCause): void {
    if (!session.link) return;
    table.close(session, cause);
    session.link.socket.close();
    session.link = undefined;
    budget.release();
  }

  function receive(port: UdpPort<Upstream>, listening: Socket, datagram: Buffer, from: RemoteInfo): void {
    const client = { address: plainAddress(from.address), port: from.port };
    const session = table.admit(port, client, datagram.length);
    if (!session) return;
    session.link ??= connect(session, (reply) => {
      const cut = table.reply(session, reply.length);
      if (cut < 0) return;
      if (listening.getSendQueueSize() > MOST_QUEUED) countDrop(flow.counters, 'queue');
      // order: the listening socket sends, so the reply leaves from the address and port that the client used.
      else listening.send(cut === 0 ? reply : reply.subarray(cut), from.port, from.address);
    });
    forward(session, datagram);
  }

  return {
    async open(point, fd) {
      const listening = await bindUdp(point, fd);
      const port = table.bind({ address: point.address, port: point.port });
      listening.on('message', (datagram, from) => receive(port, listening, datagram, from));
      budget.hold();
      return (cause) => {
        for (const session of table.unbind(port)) end(session, cause);
        listening.close();
        budget.release();
      };
    },
    reconcile() {
      for (const session of table.stale()) end(session, 'drained');
    },
    sweep() {
      for (const session of table.idle()) end(session, 'idle');
    },
  };
}
