import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { havePeers, isHeldByUs, socketsAt } from './udp-holders.ts';

const skip = process.platform === 'linux' ? false : 'reads /proc';

test('a port of this process is told from one of another, or of nobody', { skip }, async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
  const { port } = server.address() as { port: number };
  assert.deepEqual([isHeldByUs('TCP', port), isHeldByUs('UDP', socket.address().port)], [true, true]);
  await Promise.all([once(server.close(), 'close'), once(socket.close(), 'close')]);
  assert.equal(isHeldByUs('TCP', port), false);
});

test('of TCP the one that listens counts, of UDP each', () => {
  const row = (state: string, inode: number) =>
    `   0: 0100007F:01BB 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0`;
  const table = `  sl  local_address rem_address   st\n${row('0A', 77)}\n${row('01', 78)}\n`;
  assert.deepEqual(
    [socketsAt(table, 443, true), socketsAt(table, 443, false), socketsAt(table, 80, false)],
    [['77'], ['77', '78'], []],
  );
});

test('a UDP port is free beside connected sockets, and beside others at another address', () => {
  const row = (local: string, remote: string) => `  1: ${local}:01BB ${remote} 07 00000000:00000000 00:00000000`;
  const connected = row('0100007F', '0200007F:0050');
  const listening = row('0100007F', '00000000:0000');
  const cases: [string, string, number, boolean][] = [
    [connected, '127.0.0.1', 443, true],
    [listening, '127.0.0.1', 443, false],
    [`${connected}\n${listening}`, '127.0.0.1', 443, false],
    [listening, '127.0.0.2', 443, true],
    [listening, '127.0.0.1', 80, true],
    [row('00000000', '00000000:0000'), '127.0.0.2', 443, false],
    [row('0000000000000000FFFF00000100007F', '0'.repeat(32) + ':0000'), '127.0.0.1', 443, false],
    [row('00000000000000000000000001000000', '0'.repeat(32) + ':0000'), '::1', 443, false],
    [row('00000000000000000000000001000000', '0'.repeat(32) + ':0000'), '::2', 443, true],
  ];
  for (const [table, address, port, isFree] of cases) assert.equal(havePeers(table, address, port), isFree, table);
});
