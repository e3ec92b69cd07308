/**
 * The UDP side of a rule: one listening socket per address and port, one connected socket per session (udp-link.ts). It
 * passes datagrams on; udp-table.ts decides what happens to each. Made by rule.ts.
 */
import type { Socket } from 'node:dgram';
import type { EndCause } from '../../../domain/fact/fact.ts';
import { dialCause, isOutOfDescriptors } from '../../flow/causes.ts';
import { countDrop } from '../../flow/counters.ts';
import type { BindPoint } from '../../flow/endpoints.ts';
import { type Endpoint, plainAddress } from '../../pass-through/pass-through.ts';
import type { Admission } from '../admission.ts';
import { bindUdp } from '../bind.ts';
import type { Budget } from '../budget.ts';
import type { RuleState } from '../rule-state.ts';
import { hasRoom, UdpLink } from './udp-link.ts';
import { type UdpPort, type UdpSession, UdpTable } from './udp-table.ts';

interface UdpSideDeps {
  readonly budget: Budget;
  readonly admission: Admission;
  readonly mostUdpSessions: number;
  readonly monotonic: () => number;
}

export class UdpSide {
  readonly #rule: RuleState;
  readonly #budget: Budget;
  readonly #admission: Admission;
  readonly #listeners = new Map<UdpPort<UdpLink>, Socket>();
  readonly #table: UdpTable<UdpLink>;

  constructor(rule: RuleState, { budget, admission, mostUdpSessions, monotonic }: UdpSideDeps) {
    this.#rule = rule;
    this.#budget = budget;
    this.#admission = admission;
    this.#table = new UdpTable(rule, {
      most: mostUdpSessions,
      monotonic,
      admits: (client) => admission.admits(client.address, this.#table.size),
      takeSlot: () => budget.tryHold(),
      evict: (session) => {
        // order: held before it is released, so that the newcomer gets it and not a connection that waits.
        budget.hold();
        this.#end(session, 'evicted');
      },
      move: (session) => this.#end(session, 'origin-unreachable'),
    });
  }

  /** Rejects with the system's error. The answer closes the port and ends its sessions. */
  async open(point: BindPoint, fd?: number): Promise<(cause: EndCause) => void> {
    const listening = await bindUdp(point, fd);
    const port = this.#table.bind({ address: point.address, port: point.port });
    this.#listeners.set(port, listening);
    listening.on('message', (datagram, from) => this.#place(port, from, datagram));
    this.#budget.hold();
    return (cause) => {
      this.#listeners.delete(port);
      for (const session of this.#table.unbind(port)) this.#end(session, cause);
      listening.close();
      this.#budget.release();
    };
  }

  /** After a change of the rule. */
  judge(): void {
    this.#table.judge();
  }

  /** Ends what must end. */
  endDue(): void {
    for (const [session, cause] of this.#table.due()) this.#end(session, cause);
  }

  /** `again`: it is counted already, with a session whose origin failed. */
  #place(port: UdpPort<UdpLink>, from: Endpoint, datagram: Buffer, again = false): void {
    const client = { address: plainAddress(from.address), port: from.port };
    const session = this.#table.admit(port, client, datagram.length, again);
    if (!session) return;
    const { link: known, header } = session;
    const link = known ?? this.#link(session, from);
    link.send({ header, datagram });
    // order: it may fail at once, and then finds the session as it is.
    if (!known) link.connect(session.origin);
  }

  #link(session: UdpSession<UdpLink>, client: Endpoint): UdpLink {
    const link: UdpLink = new UdpLink(client, session.origin, {
      replied: (datagram) => this.#reply(session, datagram),
      failed: (code, datagram) => this.#failed(session, link, code, datagram),
      dropped: () => countDrop(this.#rule.counters, 'queue'),
      mayMove: () => this.#table.mayMove(session),
    });
    session.link = link;
    this.#admission.add(session.counted.client.address, 1);
    return link;
  }

  #reply(session: UdpSession<UdpLink>, datagram: Buffer): void {
    const listening = this.#listeners.get(session.port);
    const { link } = session;
    const cut = this.#table.reply(session, datagram);
    if (cut < 0 || !listening || !link) return;
    link.answered();
    const { address, port } = link.client;
    // order: the listening socket sends, so the reply leaves from the address and port that the client used.
    if (hasRoom(listening)) listening.send(cut === 0 ? datagram : datagram.subarray(cut), port, address);
    else countDrop(this.#rule.counters, 'queue');
  }

  #failed(session: UdpSession<UdpLink>, link: UdpLink, code: string | undefined, datagram?: Buffer): void {
    if (code === 'EMSGSIZE') return countDrop(this.#rule.counters, 'oversize');
    if (session.link !== link) return;
    if (isOutOfDescriptors(code)) return this.#end(session, 'limit');
    // A bind that failed so: this machine has no address of the origin's family.
    const cause = !link.isConnected && code === 'EADDRNOTAVAIL' ? 'origin-unreachable' : dialCause(code);
    this.#rule.tell(session.origin.address, cause);
    const undelivered = link.undelivered(datagram);
    const bytes = undelivered.values().reduce((sum, { length }) => sum + length, 0);
    const moves = cause.startsWith('origin-') && this.#table.refused(session, bytes);
    if (moves || !link.isConnected) this.#end(session, cause);
    if (moves) for (const one of undelivered) this.#place(session.port, link.client, one, true);
  }

  #end(session: UdpSession<UdpLink>, cause: EndCause): void {
    if (!session.link) return;
    this.#table.close(session, cause);
    session.link.close();
    session.link = undefined;
    this.#admission.add(session.counted.client.address, -1);
    this.#budget.release();
  }
}
