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
}

export interface UdpSockets {
  /** May be called once; addresses that come later are served as well. */
  serve(take: (socket: Socket) => void): void;
  close(): Promise<void>;
}

/** limit: an address that comes is served within three of these; a look costs some 50 µs. */
const LOOK_MS = 2_000;
const FAMILIES: Readonly<Record<string, ReadonlySet<4 | 6>>> = { '0.0.0.0': new Set([4]), '::': new Set([4, 6]) };

/** Resolves once all are bound. Rejects with the system's error and leaves nothing open. */
export async function openUdpSockets(place: UdpPlace): Promise<UdpSockets> {
  const { host, port, inherited, addresses, clock, log } = place;
  const families = FAMILIES[host];
  // A version that served a wildcard by one socket has handed it over: beside it no address can be bound.
  const whole = inherited?.takeOne('UDP', host, port);
  const sockets = new Map<string, Socket>();
  let take = (_socket: Socket): void => {};
  let isClosed = false;

  async function follow(families: ReadonlySet<4 | 6>, failed: (address: string, error: Error) => void): Promise<void> {
    const here = new Set(addresses(families));
    for (const [address, socket] of sockets) {
      if (here.has(address)) continue;
      sockets.delete(address);
      socket.close();
    }
    const coming = [...here].filter((address) => !sockets.has(address));
    await Promise.all(
      coming.map(async (address) => {
        try {
          const socket = await bindUdp(address, port, inherited?.takeOne('UDP', address.split('%')[0] ?? '', port));
          if (isClosed || sockets.has(address)) return void socket.close();
          sockets.set(address, socket);
          take(socket);
        } catch (error) {
          // It has just left, or is an IPv6 address that is still being checked: then the next look finds it.
          if ((error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') failed(address, error as Error);
        }
      }),
    );
  }

  const close = async (): Promise<void> => {
    isClosed = true;
    await Promise.all([...sockets.values()].map((socket) => new Promise<void>((done) => socket.close(done))));
  };
  const told = new Set<string>();
  let timer: ReturnType<Clock['every']> | undefined;
  if (!families || whole !== undefined) sockets.set(host, await bindUdp(host, port, whole));
  else {
    const failures: Error[] = [];
    await follow(families, (_, error) => failures.push(error));
    if (failures[0]) {
      await close();
      throw failures[0];
    }
    timer = clock.every(LOOK_MS, () => {
      void follow(families, (address, { message }) => {
        if (!told.has(address))
          log.warn('DNS cannot answer at an address of this machine', { address, reason: message });
        told.add(address);
      });
    });
  }
  return {
    serve(serve) {
      take = serve;
      for (const socket of sockets.values()) serve(socket);
    },
    close() {
      timer?.cancel();
      return close();
    },
  };
}

/** `fd`: it is bound already. */
async function bindUdp(address: string, port: number, fd?: number): Promise<Socket> {
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
