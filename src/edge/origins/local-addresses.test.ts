import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { followLocalAddresses } from './local-addresses.ts';

test('another address of the machine is seen within five seconds; loopback always is one', async () => {
  const clock = new ManualClock();
  const machine = new Set(['192.0.2.1']);
  let changes = 0;
  const local = followLocalAddresses(clock, () => new Set(machine));
  local.changed.listen(() => changes++);
  const has = () => ['192.0.2.1', '192.0.2.2', '127.9.9.9', '::1'].filter((address) => local.has(address));
  assert.deepEqual(has(), ['192.0.2.1', '127.9.9.9', '::1']);
  await clock.advance(5_000);
  assert.equal(changes, 0);
  machine.add('192.0.2.2').delete('192.0.2.1');
  await clock.advance(5_000);
  assert.deepEqual([changes, has()], [1, ['192.0.2.2', '127.9.9.9', '::1']]);
  local.stop();
  assert.equal(clock.waiting, 0);
});
