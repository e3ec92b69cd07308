import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActionWorld, actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { alter, type Prepared, refusals } from '../../../../test/world/refusals.ts';

const BALANCER = { ZoneId: ZONE, InstanceId: 'lb-1' };

test('a balancer goes with its name and its uses, and its groups are free', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1']);
  const OriginGroups = [{ Priority: 'priority_1' as const, OriginGroupId: 'og-1' }];
  const wish = { ZoneId: ZONE, Name: 'web', Type: 'GENERAL' as const, OriginGroups };
  const { InstanceId } = await world.call('CreateLoadBalancer', wish);
  const used = 'OperationDenied.OriginGroupLBUsed';
  assert.equal(await world.refusedWith('DeleteOriginGroup', { ZoneId: ZONE, GroupId: 'og-1' }), used);
  await world.call('DeleteLoadBalancer', { ZoneId: ZONE, InstanceId });
  await world.call('DeleteOriginGroup', { ZoneId: ZONE, GroupId: 'og-1' });
  for (const prefix of ['load-balancer/', 'load-balancer-name/', 'uses/', 'last-use/', 'origin-group/'])
    assert.deepEqual(await world.keysUnder(prefix), [], prefix);
});

test('a zone goes with all of them', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1'], { name: 'g' });
  await putBalancer(world, 'lb-1', 'og-1');
  await world.pauseZone(true);
  await world.call('DeleteZone', { ZoneId: ZONE });
  for (const prefix of ['load-balancer/', 'uses/', 'last-use/', 'origin-group/'])
    assert.deepEqual(await world.keysUnder(prefix), [], prefix);
});

async function used(world: ActionWorld, { ProxyId }: Prepared): Promise<void> {
  await putGroup(world, 'og-1', ['10.0.0.1']);
  await putBalancer(world, 'lb-1', 'og-1');
  await putRule(world, ProxyId, 'LB', 'lb-1');
}

refusals(
  'DeleteLoadBalancer',
  () => BALANCER,
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    { code: 'ResourceNotFound', because: 'an unknown balancer' },
    {
      code: 'InvalidParameter.LoadBalancerUsedInL4Proxy',
      because: 'a rule is on it',
      given: used,
    },
    {
      code: 'InvalidParameter.LoadBalancerUsedInL4Proxy',
      because: 'a rule is on it, whose instance is being deployed',
      async given(world, ids) {
        await used(world, ids);
        await alter(world, { changed: 0 });
        world.edges.applied = (await world.revision()) - 1;
      },
    },
  ],
  ['FailedOperation', 'InvalidParameter.LoadBalancerUsedInL7Domain', 'InvalidParameter.LoadBalancerUsedInRuleEngine'],
);
