/** UDP origins and clients for the engine cases. All of them are closed with the case. */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { eventually, loopback } from './fixture.ts';

export interface UdpPeer {
  readonly address: string;
  readonly port: number;
  readonly socket: Socket;
  /** All datagrams so far, in the order of arrival. */
  readonly got: { readonly bytes: Buffer; readonly from: RemoteInfo }[];
  send(bytes: Buffer | string, address: string, port: number): void;
  /** The n-th datagram (from 0), once it is there. */
  datagram(n: number): Promise<Buffer>;
}

/** `reply` gives what to send back for a datagram; undefined: nothing. */
export async function udpPeer(
  t: TestContext,
  at: { address?: string; port?: number } = {},
  reply?: (bytes: Buffer) => Buffer | undefined,
): Promise<UdpPeer> {
  const address = at.address ?? loopback();
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1_048_576 });
  const got: UdpPeer['got'] = [];
  socket.on('error', () => {});
  socket.on('message', (bytes, from) => {
    got.push({ bytes, from });
    const answer = reply?.(bytes);
    if (answer) socket.send(answer, from.port, from.address);
  });
  socket.bind(at.port ?? 0, address);
  await once(socket, 'listening');
  t.after(() => {
    // A case may have closed it to play dead.
    try {
      socket.close();
    } catch {}
  });
  return {
    address,
    port: socket.address().port,
    socket,
    got,
    send: (bytes, to, port) => socket.send(bytes, port, to),
    async datagram(n) {
      await eventually(() => assert.ok(got.length > n, `${got.length} datagrams, waiting for more than ${n}`));
      return got[n]?.bytes ?? Buffer.alloc(0);
    },
  };
}

export function udpEcho(t: TestContext, at?: { address?: string; port?: number }): Promise<UdpPeer> {
  return udpPeer(t, at, (bytes) => bytes);
}
