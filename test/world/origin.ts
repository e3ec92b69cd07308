/** A server to forward to: echoes over TCP and UDP on one address, and keeps what came. Closed by the world. */
import { createHash } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { loopback } from '../suites/engine/fixture.ts';

export interface Origin extends AsyncDisposable {
  readonly address: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  /** What each TCP connection sent, in the order of arrival. */
  readonly received: readonly Received[];
  /** Each datagram, in the order of arrival. */
  readonly datagrams: readonly Buffer[];
}

interface Received {
  bytes: number;
  /** The first bytes, where a proxy header would be. */
  head: Buffer;
  /** sha256 of all, once the client has ended. */
  hash?: string;
}

const HEAD = 256;

export async function openOrigin(address = loopback()): Promise<Origin> {
  const received: Received[] = [];
  const datagrams: Buffer[] = [];
  const sockets = new Set<Socket>();
  const tcp = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    received.push(watch(socket));
    socket.pipe(socket);
  });
  const udp = createSocket('udp4', (datagram, from) => {
    datagrams.push(datagram);
    udp.send(datagram, from.port, from.address);
  });
  await Promise.all([listening(tcp.listen(0, address)), listening(udp.bind(0, address))]);
  return {
    address,
    tcpPort: portOf(tcp),
    udpPort: udp.address().port,
    received,
    datagrams,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([new Promise((done) => tcp.close(done)), new Promise<void>((done) => udp.close(done))]);
    },
  };
}

function watch(socket: Socket): Received {
  const hash = createHash('sha256');
  const received: Received = { bytes: 0, head: Buffer.alloc(0) };
  socket.on('data', (part: Buffer) => {
    if (received.head.length < HEAD) received.head = Buffer.concat([received.head, part]).subarray(0, HEAD);
    received.bytes += part.length;
    hash.update(part);
  });
  socket.on('end', () => (received.hash = hash.digest('hex')));
  return received;
}

async function listening(server: Server | UdpSocket): Promise<void> {
  await once(server, 'listening');
}

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound ? bound.port : 0;
}
