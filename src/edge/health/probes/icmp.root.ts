import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probe } from '../probe.ts';
import { HERE, TIMES, TOOLS } from './peers.fixture.ts';

const ping = (address: string, timeoutSeconds = 5) =>
  probe(address, { type: 'ICMP Ping', ...TIMES, timeoutSeconds }, TOOLS);

test('with CAP_NET_RAW this machine answers pings', async () => {
  assert.deepEqual(await ping(HERE), { verdict: 'healthy', reason: 'it answers pings' });
});

test('an address that does not answer is unhealthy when the time is over', async () => {
  // Of the block for documentation: no machine has it, and whether there is a route depends on the machine.
  const { verdict, reason } = await ping('192.0.2.77', 0.2);
  assert.equal(verdict, 'unhealthy');
  assert.match(reason, /^(no answer to a ping within 0.2 s|no route to the origin)$/);
});
