import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { test } from 'node:test';
import type { Place } from './firewall.ts';
import { holdersOf, type Listening, readListening, socketFacts, takenFindings, takings } from './taken.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

test('the lists of the system are read', () => {
  const tcp = `${HEAD}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0\n   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 78 1 0\n`;
  assert.deepEqual(readListening('TCP', tcp), [{ protocol: 'TCP', address: '127.0.0.1', port: 8080, inode: '77' }]);
  const udp6 = `${HEAD}  9: 000080FE00000000FF005450B6AD1DFE:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 5 2 0 0\n`;
  const [found] = readListening('UDP', udp6);
  assert.deepEqual([found?.port, found?.address.slice(0, 6)], [53, 'fe80::']);
  assert.deepEqual(readListening('TCP', 'what is this\n'), []);
});

const place = (rule: string, to: string, from: number, end = from): Place => ({
  rule,
  family: to.includes(':') ? 6 : 4,
  before: { protocol: 'TCP', to, ports: [{ from, to: end }], isLoopback: false, isLed: false },
});
const at = (address: string, port: number, protocol: 'TCP' | 'UDP' = 'TCP'): Listening => ({
  protocol,
  address,
  port,
  inode: '7',
});

const cases: readonly [what: string, Place, Listening, taken: boolean][] = [
  ['the same place', place('r', '192.0.2.1', 80), at('192.0.2.1', 80), true],
  ['within a range', place('r', '192.0.2.1', 80, 90), at('192.0.2.1', 85), true],
  ['every address', place('r', '192.0.2.1', 80), at('0.0.0.0', 80), true],
  ['every address of both families', place('r', '192.0.2.1', 80), at('::', 80), true],
  ['every IPv4 address, for an IPv6 entry', place('r', '2001:db8::1', 80), at('0.0.0.0', 80), false],
  ['another address', place('r', '192.0.2.1', 80), at('192.0.2.2', 80), false],
  ['another port', place('r', '192.0.2.1', 80), at('192.0.2.1', 81), false],
  ['another protocol', place('r', '192.0.2.1', 80), at('192.0.2.1', 80, 'UDP'), false],
  ['no rule', place('', '192.0.2.1', 80), at('192.0.2.1', 80), false],
];
for (const [what, one, by, taken] of cases)
  test(`taken: ${what}`, () => assert.equal(takings([one], [by]).length, taken ? 1 : 0));

test('who has it is named; our own edge may', () => {
  const all = takings([place('rule-a', '192.0.2.1', 80)], [at('192.0.2.1', 80)]);
  const by = (isOurs: boolean) => new Map([['7', { name: 'nginx (pid 3)', isOurs }]]);
  const [found] = takenFindings(all, by(false), true);
  assert.equal(found?.state, 'bad');
  assert.match(found?.text ?? '', /TCP 192\.0\.2\.1 port 80 of rule-a is taken by nginx \(pid 3\)/);
  assert.deepEqual(
    takenFindings(all, by(true), true).map(({ state }) => state),
    ['ok'],
  );
  assert.deepEqual(
    takenFindings(all, new Map(), true).map(({ state }) => state),
    ['ok'],
  );
  assert.deepEqual(
    takenFindings(all, new Map(), false).map(({ state }) => state),
    ['bad'],
  );
});

test(
  'a socket of this process is found, with who has it',
  { skip: process.platform !== 'linux' && 'needs Linux' },
  async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const found = socketFacts().find((one) => one.protocol === 'TCP' && one.port === port);
    assert.equal(found?.address, '127.0.0.1');
    const holder = holdersOf(new Set([found?.inode ?? '']), '').get(found?.inode ?? '');
    assert.match(holder?.name ?? '', new RegExp(`\\(pid ${process.pid}\\)$`));
    server.close();
  },
);
