/** UDP origins and clients for the engine cases. All of them are closed with the case. */
import assert from 'node:assert/strict';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { anAddress, eventually, PATIENCE_MS } from './fixture.ts';

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
  const address = at.address ?? anAddress();
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1_048_576 });
  const got: UdpPeer['got'] = [];
  /** Called at each datagram; they take themselves out. */
  const waiting = new Set<() => void>();
  socket.on('error', () => {});
  socket.on('message', (bytes, from) => {
    got.push({ bytes, from });
    for (const look of waiting) look();
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
    // not: polled. Hundreds of peers wait at a time in some cases, and looking again and again costs more than traffic.
    datagram: (n) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`${got.length} datagrams after ${PATIENCE_MS} ms, waiting for more than ${n}`));
        }, PATIENCE_MS);
        const look = (): void => {
          const datagram = got[n];
          if (!datagram) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(datagram.bytes);
        };
        waiting.add(look);
        look();
      }),
  };
}

/**
 * Newcomers until one of them is served. Each asks once: one that asks again is a conversation, and makes no room for the
 * next.
 */
export async function newcomersUntilServed(
  t: TestContext,
  entry: readonly [address: string, port: number],
): Promise<void> {
  const newcomers: UdpPeer[] = [];
  await eventually(async () => {
    const newcomer = await udpPeer(t);
    newcomers.push(newcomer);
    newcomer.send('x', ...entry);
    assert.ok(newcomers.some(({ got }) => got.length > 0));
  });
}

export function udpEcho(t: TestContext, at?: { address?: string; port?: number }): Promise<UdpPeer> {
  return udpPeer(t, at, (bytes) => bytes);
}
