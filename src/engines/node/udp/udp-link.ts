/**
 * The socket of one UDP session, connected to its origin, so that the system itself takes replies from that origin alone.
 * It keeps datagrams that come before the socket is connected, and the first one until there is an answer. It refuses to
 * judge failures: udp-side.ts does, which makes one for each session.
 */
import type { Socket } from 'node:dgram';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import { UDP_BUFFER, udpSocket } from '../bind.ts';
import { sharePort } from '../system.ts';

interface Sent {
  readonly header: Uint8Array;
  readonly datagram: Buffer;
}

interface UdpLinkEvents {
  readonly replied: (datagram: Buffer) => void;
  /** The system says so of datagrams that were sent before, or of `datagram`, which has not left then. */
  readonly failed: (code: string | undefined, datagram?: Buffer) => void;
  /** A datagram was given up: too many wait. */
  readonly dropped: () => void;
  /** Whether the datagram that is sent now may have to go to another origin. */
  readonly mayMove: () => boolean;
}

/** limit: connecting a UDP socket takes one turn of the loop; more than this in one turn is a flood. */
const MOST_EARLY = 64;
/** limit: beyond this the system is not taking our datagrams, and old ones are worth less than memory. */
const MOST_QUEUED = 1_048_576;

/** False: so much waits in the socket that one more would come too late. */
export function hasRoom(socket: Socket): boolean {
  return socket.getSendQueueSize() <= MOST_QUEUED;
}

export class UdpLink {
  /** Where replies go; as the system writes it, with the zone of a link-local address. */
  readonly client: Endpoint;
  readonly #socket: Socket;
  readonly #events: UdpLinkEvents;
  /** Datagrams that came before the socket was connected; undefined once it is. */
  #early: Sent[] | undefined = [];
  #first: Buffer | undefined;
  #isClosed = false;

  constructor(client: Endpoint, origin: Endpoint, events: UdpLinkEvents) {
    this.client = client;
    this.#events = events;
    this.#socket = udpSocket(origin.address, UDP_BUFFER);
    this.#socket.on('message', events.replied);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => events.failed(error.code));
    this.#socket.once('connect', () => this.#connected());
  }

  /** May fail at once. */
  connect({ address, port }: Endpoint): void {
    this.#socket.connect(port, address);
  }

  get isConnected(): boolean {
    return this.#early === undefined;
  }

  send(sent: Sent): void {
    if (!this.#early) this.#sendNow(sent);
    else if (this.#early.length < MOST_EARLY) this.#early.push(sent);
    else this.#events.dropped();
  }

  /** The origin has answered: nothing goes to another one. */
  answered(): void {
    this.#first = undefined;
  }

  /** Datagrams that the origin may not have got, as far as it is known; `last` with them. */
  undelivered(last: Buffer | undefined): ReadonlySet<Buffer> {
    const datagrams = new Set(this.#early?.map(({ datagram }) => datagram));
    for (const one of [this.#first, last]) if (one) datagrams.add(one);
    return datagrams;
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.close();
  }

  #connected(): void {
    if (this.#isClosed) return;
    // not: before it has its port, which would be one that another session has, too.
    sharePort(this.#socket, true);
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const sent of early) this.#sendNow(sent);
  }

  #sendNow({ header, datagram }: Sent): void {
    if (!hasRoom(this.#socket)) return this.#events.dropped();
    if (!this.#first && this.#events.mayMove()) this.#first = datagram;
    this.#socket.send(header.length === 0 ? [datagram] : [header, datagram], (error: NodeJS.ErrnoException | null) => {
      if (error) this.#events.failed(error.code, datagram);
    });
  }
}
