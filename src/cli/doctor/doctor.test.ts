import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { entryFinding, firstHost, portFinding } from '../../control/doctor/network.ts';
import { type ProcessFacts, processFindings } from '../../edge/doctor/process.ts';

const PLAIN: ProcessFacts = {
  platform: 'linux',
  status: 'Name:\tnode\nCapEff:\t0000000000000000\n',
  limits: 'Max open files            1024                 1048576              files     \n',
  unprivilegedPortStart: '1024\n',
};
const states = (facts: Partial<ProcessFacts>) =>
  Object.fromEntries(processFindings({ ...PLAIN, ...facts }).map(({ about, state }) => [about, state]));

test('an unprivileged user: no low ports', () => {
  assert.deepEqual(states({}), { 'low ports': 'warn', 'open files': 'ok' });
});

test('capabilities are read from the effective set', () => {
  assert.equal(states({ status: 'CapEff:\t0000000000001400\n' })['low ports'], 'ok');
});

test('few descriptors are told', () => {
  assert.equal(states({ limits: 'Max open files  256  1024  files\n' })['open files'], 'warn');
});

test('another platform has one finding', () => {
  assert.deepEqual(states({ platform: 'darwin' }), { engines: 'warn' });
});

for (const [network, first] of [
  ['127.44.0.0/16', '127.44.0.1'],
  ['127.44.7.9/16', '127.44.0.1'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.44.0.4/31', '127.44.0.4'],
  ['fd00::/64', 'fd00::1'],
  ['::1', '::1'],
] as const) {
  test(`first host of ${network}`, () => assert.equal(firstHost(network), first));
}

test('an address of this machine can be bound, a documentation address can not', async () => {
  assert.equal((await entryFinding('127.0.0.0/8')).state, 'ok');
  assert.equal((await entryFinding('192.0.2.0/24')).state, 'bad');
});

test('a taken port is bad, unless it is our own', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  const at = { host: '127.0.0.1', port };
  assert.equal((await portFinding('API', at, false, 'listen', false)).state, 'bad');
  assert.equal((await portFinding('API', at, false, 'listen', true)).state, 'ok');
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
