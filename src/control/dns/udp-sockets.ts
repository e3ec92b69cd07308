/**
 * The sockets of DNS over UDP: one where the setting names an address, one for each address of the machine where it is a
 * wildcard, because an answer must leave from the address that was asked and a wildcard socket lets the system choose.
 * Addresses that come and go are followed. Called by server.ts; udp.ts serves each socket.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock } from '../../lib/clock.ts';
import type { Inherited } from '../../handoff/inherited.ts';
import type { Log } from '../../observe/log.ts';
import type { LocalAddresses } from './local-addresses.ts';

interface UdpPlace {
  readonly host: string;
  readonly port: number;
  readonly inherited: Inherited | undefined;
  readonly addresses: LocalAddresses;
  readonly clock: Clock;
  readonly log: Log;
  /** Answers what comes to a socket, from the moment it is bound. */
  readonly serve: (socket: Socket) => void;
}

export interface UdpSockets {
  close(): Promise<void>;
}

type Families = ReadonlySet<4 | 6>;

/** limit: an address that comes is served within three of these; a look costs some 50 µs. */
const LOOK_MS = 2_000;
const FAMILIES: Readonly<Record<string, Families>> = { '0.0.0.0': new Set([4]), '::': new Set([4, 6]) };

/** Resolves once all are bound. Rejects with the system's error and leaves nothing open. */
export async function openUdpSockets(place: UdpPlace): Promise<UdpSockets> {
  const { host, port, inherited, clock } = place;
  const families = FAMILIES[host];
  // A version that served a wildcard by one socket has handed it over: beside it no address can be bound.
  const whole = inherited?.takeOne('UDP', host, port);
  const sockets = new Sockets(place);
  if (!families || whole !== undefined) {
    await sockets.bind(host, whole);
    return sockets;
  }
  const [failed] = await sockets.follow(families);
  if (failed) {
    await sockets.close();
    throw failed.error;
  }
  const timer = clock.every(LOOK_MS, () => void sockets.follow(families).then((failed) => sockets.tell(failed)));
  return {
    close() {
      timer.cancel();
      return sockets.close();
    },
  };
}

interface Unbound {
  readonly address: string;
  readonly error: NodeJS.ErrnoException;
}

class Sockets implements UdpSockets {
  readonly #place: UdpPlace;
  readonly #open = new Map<string, Socket>();
  /** Addresses that the log has named. */
  readonly #told = new Set<string>();
  #isClosed = false;

  constructor(place: UdpPlace) {
    this.#place = place;
  }

  /** `fd`: the socket is bound already. */
  async bind(address: string, fd: number | undefined): Promise<void> {
    const socket = await bindUdp(address, this.#place.port, fd);
    if (this.#isClosed || this.#open.has(address)) return void socket.close();
    this.#open.set(address, socket);
    this.#place.serve(socket);
  }

  /** Closes the sockets of addresses that left the machine and binds those that came; gives those that could not be bound. */
  async follow(families: Families): Promise<Unbound[]> {
    const { addresses, inherited, port } = this.#place;
    const here = new Set(addresses(families));
    for (const [address, socket] of this.#open) {
      if (here.has(address)) continue;
      this.#open.delete(address);
      socket.close();
    }
    const coming = [...here].filter((address) => !this.#open.has(address));
    const failed = coming.map((address) =>
      this.bind(address, inherited?.takeOne('UDP', address.split('%')[0] ?? '', port)).then(
        () => [],
        // One that has just left, or an IPv6 address that is still being checked, is for the next look.
        (error: NodeJS.ErrnoException) => (error.code === 'EADDRNOTAVAIL' ? [] : [{ address, error }]),
      ),
    );
    return (await Promise.all(failed)).flat();
  }

  /** Logs each address once. */
  tell(failed: readonly Unbound[]): void {
    for (const { address, error } of failed) {
      if (!this.#told.has(address))
        this.#place.log.warn('DNS cannot answer at an address of this machine', { address, reason: error.message });
      this.#told.add(address);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#open.values()].map((socket) => new Promise<void>((done) => socket.close(done))));
  }
}

async function bindUdp(address: string, port: number, fd: number | undefined): Promise<Socket> {
  const type = address.includes(':') ? 'udp6' : 'udp4';
  const socket = createSocket({ type });
  // order: a socket that is bound already says so at once.
  const listening = once(socket, 'listening');
  socket.bind(fd === undefined ? { port, address } : { fd });
  try {
    await listening;
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}
