import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup } from '../../../../test/world/groups.ts';
import { refusals } from '../../../../test/world/refusals.ts';

const BALANCER = { ZoneId: ZONE, LBInstanceId: 'lb-1' };

async function balanced() {
  const world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1', '10.0.0.2']);
  await putGroup(world, 'og-2', ['10.0.0.3']);
  const groups = ['og-2', 'og-1', 'og-2'].map((group, i) => ({ priority: i + 1, group }));
  await putBalancer(world, 'lb-1', 'og-1', { groups, checker: { type: 'TCP', port: 80 } });
  return world;
}

test('nothing is known of an origin that no site has reported, and no site is shown', async () => {
  await using world = await balanced();
  const { OriginGroupHealthStatusList } = await world.call('DescribeOriginGroupHealthStatus', BALANCER);
  const unknown = (Origin: string) => ({ Origin, Healthy: 'Undetected' });
  assert.deepEqual(OriginGroupHealthStatusList, [
    { OriginGroupId: 'og-2', OriginHealthStatus: [unknown('10.0.0.3')], CheckRegionHealthStatus: [] },
    {
      OriginGroupId: 'og-1',
      OriginHealthStatus: [unknown('10.0.0.1'), unknown('10.0.0.2')],
      CheckRegionHealthStatus: [],
    },
  ]);
});

test('what sites have reported is shown by site, and together', async () => {
  await using world = await balanced();
  const [good, ill] = [true, false].map((isHealthy) => (site: string) => ({ site, isHealthy }));
  world.edges.health.set('lb-1 og-1 10.0.0.1', [good!('berlin'), good!('paris')]);
  world.edges.health.set('lb-1 og-1 10.0.0.2', [good!('berlin'), ill!('paris')]);
  const request = { ...BALANCER, OriginGroupIds: ['og-1', 'og-of-another-balancer'] };
  const { OriginGroupHealthStatusList } = await world.call('DescribeOriginGroupHealthStatus', request);
  const origins = (one: string, two: string) => [
    { Origin: '10.0.0.1', Healthy: one },
    { Origin: '10.0.0.2', Healthy: two },
  ];
  assert.deepEqual(OriginGroupHealthStatusList, [
    {
      OriginGroupId: 'og-1',
      OriginHealthStatus: origins('Healthy', 'Healthy'),
      CheckRegionHealthStatus: [
        { Region: 'berlin', Healthy: 'Healthy', OriginHealthStatus: origins('Healthy', 'Healthy') },
        { Region: 'paris', Healthy: 'Unhealthy', OriginHealthStatus: origins('Healthy', 'Unhealthy') },
      ],
    },
  ]);
});

test('a balancer without a check of its own shows what the group’s says, and one that wants none shows nothing', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1']);
  world.edges.health.set('og-1 og-1 10.0.0.1', [{ site: 'paris', isHealthy: false }]);
  const word = async () => {
    const { OriginGroupHealthStatusList } = await world.call('DescribeOriginGroupHealthStatus', BALANCER);
    return OriginGroupHealthStatusList[0]?.OriginHealthStatus[0]?.Healthy;
  };
  await putBalancer(world, 'lb-1', 'og-1');
  assert.equal(await word(), 'Unhealthy');
  await putBalancer(world, 'lb-1', 'og-1', { checker: { type: 'NoCheck' } });
  assert.equal(await word(), 'Undetected');
});

refusals(
  'DescribeOriginGroupHealthStatus',
  () => BALANCER,
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    { code: 'ResourceNotFound', because: 'an unknown balancer' },
  ],
  ['UnauthorizedOperation.CamUnauthorized', 'UnauthorizedOperation.NoPermission', 'UnauthorizedOperation.Unknown'],
  false,
);
