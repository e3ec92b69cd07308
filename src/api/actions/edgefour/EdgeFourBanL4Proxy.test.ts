import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

test('a ban stops an instance and its rules, and what its owner wanted counts again afterwards', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const states = async () => {
    const { L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE });
    const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
    return `${L4Proxies[0]?.Status} ${L4ProxyRules[0]?.Status}`;
  };
  world.edges.applied = await world.revision();
  await world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId });
  assert.equal(await states(), 'banned stopping');
  world.edges.applied = await world.revision();
  assert.equal(await states(), 'banned offline');
  await world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId });
  assert.equal(await world.revision(), world.edges.applied);
  await world.call('EdgeFourUnbanL4Proxy', { ZoneId: ZONE, ProxyId });
  assert.equal(await states(), 'progress progress');
  world.edges.applied = await world.revision();
  assert.equal(await states(), 'online online');
  await world.call('EdgeFourUnbanL4Proxy', { ZoneId: ZONE, ProxyId });
  assert.equal(await world.revision(), world.edges.applied);
});

for (const name of ['EdgeFourBanL4Proxy', 'EdgeFourUnbanL4Proxy'] as const) {
  refusals(
    name,
    ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId }),
    [
      { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
      { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    ],
    [],
  );
}
