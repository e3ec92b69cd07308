import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { alter, type Prepared, prepare, refusals } from '../../../../test/world/refusals.ts';

const BALANCER = { ZoneId: ZONE, InstanceId: 'lb-1' };
const groups = (...ids: string[]) => ({
  OriginGroups: ids.map((OriginGroupId, i) => ({ Priority: `priority_${i + 1}` as 'priority_1', OriginGroupId })),
});

test('what is not sent stays; groups that come and go are marked as used, and free again', async () => {
  await using world = await actionWorld();
  for (const id of ['og-1', 'og-2']) await putGroup(world, id, ['10.0.0.1']);
  await putBalancer(world, 'lb-1', 'og-1');
  await world.call('ModifyLoadBalancer', { ...BALANCER, HealthChecker: { Type: 'ICMP Ping' } });
  await world.call('ModifyLoadBalancer', {
    ...BALANCER,
    ...groups('og-2'),
    Name: 'new',
    FailoverPolicy: 'OtherOriginGroup',
  });
  const { checker, groups: now, failover, name } = (await world.read(keys.loadBalancer(ZONE, 'lb-1'))) ?? assert.fail();
  assert.deepEqual([checker, failover, name], [{ type: 'ICMP Ping' }, 'OtherOriginGroup', 'new']);
  assert.deepEqual(now, [{ priority: 1, group: 'og-2' }]);
  assert.deepEqual(await world.keysUnder('uses/'), ['uses/og-2/lb-1']);
  await world.call('DeleteOriginGroup', { ZoneId: ZONE, GroupId: 'og-1' });
  const before = await world.revision();
  await world.call('ModifyLoadBalancer', { ...BALANCER, ...groups('og-2'), Name: 'new' });
  assert.equal(await world.revision(), before);
});

test('a rule on it is in progress until the edges have the change', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  for (const id of ['og-1', 'og-2']) await putGroup(world, id, ['10.0.0.1']);
  await putBalancer(world, 'lb-1', 'og-1');
  await putRule(world, ProxyId, 'LB', 'lb-1');
  world.edges.applied = await world.revision();
  const status = async () =>
    (await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId })).L4ProxyRules.at(-1)?.Status;
  const follow = async () => {
    const before = await status();
    world.edges.applied = await world.revision();
    return [before, await status()];
  };
  await world.call('ModifyLoadBalancer', { ...BALANCER, ...groups('og-2', 'og-1') });
  assert.deepEqual(await follow(), ['progress', 'online']);
  await world.call('ModifyOriginGroup', { ZoneId: ZONE, GroupId: 'og-1', Records: [{ Record: '10.0.0.9' }] });
  assert.deepEqual(await follow(), ['progress', 'online']);
});

const made = (more?: (world: ActionWorld, ids: Prepared) => unknown) => async (world: ActionWorld, ids: Prepared) => {
  await putGroup(world, 'og-1', ['10.0.0.1']);
  await putBalancer(world, 'lb-1', 'og-1');
  await more?.(world, ids);
};

refusals(
  'ModifyLoadBalancer',
  () => ({ ...BALANCER, FailoverPolicy: 'OtherRecordInOriginGroup' as const }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: 'an unknown balancer' },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: made((world) => world.pauseZone(true)),
    },
    {
      code: 'InvalidParameter.LoadBalancerBindL4NotInStableStatus',
      because: 'an instance on it is being deployed',
      given: made(async (world, { ProxyId }) => {
        await putRule(world, ProxyId, 'LB', 'lb-1');
        await alter(world, { changed: 0 });
        world.edges.applied = (await world.revision()) - 1;
      }),
    },
    {
      code: 'InvalidParameter.LoadBalancerBindOriginGroupInvalid',
      because: 'a group that the rule on it cannot use',
      request: groups('og-2'),
      given: made(async (world, { ProxyId }) => {
        await putGroup(world, 'og-2', ['10.0.0.1', 'a.test']);
        await putRule(world, ProxyId, 'LB', 'lb-1');
      }),
    },
    {
      code: 'InvalidParameter.LoadBalancerNameRepeated',
      because: 'the name is taken',
      request: { Name: 'other' },
      given: made((world) =>
        world.call('CreateLoadBalancer', { ZoneId: ZONE, Name: 'other', Type: 'GENERAL', ...groups('og-1') }),
      ),
    },
    {
      code: 'InvalidParameter.OriginGroupTypeCanNotMatchLBType',
      because: 'an HTTP group',
      request: groups('og-2'),
      given: made((world) => putGroup(world, 'og-2', ['10.0.0.1'], { type: 'HTTP' })),
    },
    {
      code: 'InvalidParameter.SomeOriginGroupNotExist',
      because: 'an unknown group',
      request: groups('og-2'),
      given: made(),
    },
    {
      code: 'InvalidParameterValue',
      because: 'a time-out that is no shorter than the interval',
      request: { HealthChecker: { Type: 'TCP', Port: 80, Interval: 10, Timeout: 10 } },
      given: made(),
    },
  ],
  ['InvalidParameter.LoadBalancerBindL7NotInStableStatus'],
);
