/** Opens the sockets that rules listen on, one per address and port. It never shares a port with another program. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isHeldByPeersAlone } from '../../linux/udp-holders.ts';
import { KEEPALIVE_SECONDS } from '../flow/behaviour.ts';
import type { BindPoint } from '../flow/endpoints.ts';
import { sharePort } from './system.ts';

/** Options of every TCP socket of this engine, accepted or dialled. */
export const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: KEEPALIVE_SECONDS * 1000,
  // limit: Node's read size; a smaller mark would pause after every read, a bigger one only holds more in memory.
  highWaterMark: 65_536,
} as const;

/** limit: the usual cap of the system (somaxconn); bursts wait here while the engine is busy. */
const BACKLOG = 4096;
/** limit: a burst of 1,000 datagrams of 1,000 bytes; the system may grant less. */
export const UDP_BUFFER = 1_048_576;
/** limit: so many binds take about 2 ms; traffic gets its turn in between. */
const BINDS_PER_TURN = 50;

/** Rejects with the system's error. The client arrives paused: nothing of it is read yet. `fd`: it is bound already. */
export function bindTcp(point: BindPoint, accept: (client: Socket) => void, fd?: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true }, accept);
    server.once('error', reject);
    const where = fd === undefined ? { host: point.address, port: point.port, ipv6Only: true } : { fd };
    server.listen({ ...where, backlog: BACKLOG, exclusive: true }, () => {
      server.off('error', reject);
      // An accept that failed: the client is gone or waits in the backlog, the listener goes on.
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** Rejects with the system's error. `fd`: it is bound already. A port that only sessions have will do. */
export function bindUdp(point: BindPoint, fd?: number): Promise<UdpSocket> {
  return bindUdpOnce(point, fd, false).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || !isHeldByPeersAlone(point.address, point.port)) throw error;
    return bindUdpOnce(point, fd, true);
  });
}

function bindUdpOnce(point: BindPoint, fd: number | undefined, beside: boolean): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = udpSocket(point.address, UDP_BUFFER, beside);
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    const where = fd === undefined ? { address: point.address, port: point.port } : { fd };
    socket.bind({ ...where, exclusive: true }, () => {
      socket.removeAllListeners('error');
      // From now on no other socket may listen here.
      if (beside) sharePort(socket, false);
      // An earlier reply that was refused by the client's host comes back as an error of this socket.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

/** A UDP socket of the address's family. Addresses are never names here, so no resolver is asked. */
export function udpSocket(address: string, recvBufferSize?: number, reuseAddr = false): UdpSocket {
  const family = address.includes(':') ? 6 : 4;
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    reuseAddr,
    lookup: (host, _options, done) => done(null, host, family),
    ...(recvBufferSize && { recvBufferSize }),
  });
}

export interface BindFailure {
  readonly point: BindPoint;
  readonly code: string | undefined;
}

/** Binds one after the other; stops at the first that fails and says which. The caller closes those that are open by then. */
export async function bindEach(
  points: readonly BindPoint[],
  bind: (point: BindPoint) => Promise<void>,
): Promise<BindFailure | undefined> {
  for (const [i, point] of points.entries()) {
    if (i % BINDS_PER_TURN === BINDS_PER_TURN - 1) await setImmediate();
    try {
      await bind(point);
    } catch (error) {
      return { point, code: (error as NodeJS.ErrnoException).code };
    }
  }
  return undefined;
}
