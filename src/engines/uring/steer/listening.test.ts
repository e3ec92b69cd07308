import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { listeningPorts, portsIn } from './listening.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const rest = '00000000:00000000 00:00000000 00000000     0        0 1518 1 00000000301d2cc4 100 0 0 10 0';

test('who listens is read, IPv4 and IPv6, and nobody behind them', () => {
  const table = [
    HEAD,
    `   0: 00000000:07E8 00000000:0000 0A ${rest}`,
    `  11: 00000000000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A ${rest}`,
    `  12: 0100007F:98E9 0100007F:B8D2 01 ${rest}`,
    `  13: 00000000:0050 00000000:0000 0A ${rest}`,
  ];
  assert.deepEqual([...portsIn(table)], [2024, 443]);
  assert.deepEqual([...portsIn([])], []);
  assert.deepEqual([...portsIn(['nonsense', 'more', table[1] ?? ''])], []);
});

test('the system lists a socket of ours', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound && listeningPorts().has(bound.port));
});
