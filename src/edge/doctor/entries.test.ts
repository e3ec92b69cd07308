import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryFinding, firstHost } from './entries.ts';

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
