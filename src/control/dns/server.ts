/**
 * The authoritative name server for the CNAMEs of instances: the same port over UDP and TCP. Serves one domain, resolves
 * no other name. Started by control's composition root.
 */
import type { Socket as UdpSocket } from 'node:dgram';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Inherited } from '../../handoff/inherited.ts';
import { lastAskers } from '../last-askers.ts';
import { createResponseLimit, type ResponseLimit } from './limit.ts';
import { type LocalAddresses, localAddresses } from './local-addresses.ts';
import type { Serving } from './respond.ts';
import { bindTcp, serveTcp } from './tcp.ts';
import { udpAnswers } from './udp.ts';
import { openUdpSockets, type UdpSockets } from './udp-sockets.ts';

export interface DnsOptions extends Serving {
  readonly listen: { readonly host: string; readonly port: number };
  /** Datagrams per second and network (/24, /56); 0 is no limit. */
  readonly perSecond?: number;
  /** Default: so many as `perSecond` says. */
  readonly limit?: ResponseLimit;
  /** The addresses that a wildcard stands for; default: the machine's own. */
  readonly addresses?: LocalAddresses;
  /** Sockets of the name server before this one. */
  readonly inherited?: Inherited | undefined;
}

export interface Dns {
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no connection any more; resolves when those there are have been answered. For a port that another process has too. */
  retire(): Promise<void>;
  /** Stops listening and closes what is open. May be called twice. */
  close(): Promise<void>;
}

/** limit: about 5 Mbit/s of answers towards one network whose addresses were forged. */
const PER_SECOND = 2000;
/** How often a port that the system picked for TCP may turn out to be taken on UDP. */
const ATTEMPTS = 10;

/** Resolves once both sockets are bound. Rejects with the system's error (EADDRINUSE, EACCES …) and leaves nothing open. */
export async function startDns(options: DnsOptions): Promise<Dns> {
  const { host } = options.listen;
  const limit = options.limit ?? createResponseLimit(options.perSecond ?? PER_SECOND, options.clock);
  const { tcp, udp, port } = await bindBoth(options, udpAnswers(options, limit));
  const sockets = new Set<Socket>();
  tcp.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const asking = serveTcp(tcp, options);

  let closing: Promise<void> | undefined;
  async function close(): Promise<void> {
    const ended = [new Promise<void>((done) => tcp.close(() => done())), udp.close()];
    for (const socket of sockets) socket.destroy();
    await Promise.all(ended);
  }
  return {
    address: { host, port },
    retire() {
      tcp.close();
      return lastAskers(options.clock, () => asking.size > 0);
    },
    close: () => (closing ??= close()),
  };
}

interface Bound {
  readonly tcp: Server;
  readonly udp: UdpSockets;
  readonly port: number;
}

async function bindBoth(options: DnsOptions, serve: (socket: UdpSocket) => void): Promise<Bound> {
  const { listen, inherited, addresses = localAddresses, clock, log } = options;
  const { host, port: wanted } = listen;
  for (let attempt = 1; ; attempt++) {
    const tcp = await bindTcp(host, wanted, inherited?.takeOne('TCP', host, wanted));
    const { port } = tcp.address() as AddressInfo;
    try {
      return { tcp, udp: await openUdpSockets({ host, port, inherited, addresses, clock, log, serve }), port };
    } catch (error) {
      tcp.close();
      if (wanted !== 0 || attempt === ATTEMPTS) throw error;
    }
  }
}
