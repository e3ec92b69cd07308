import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup } from '../../../../test/world/groups.ts';
import { refusals } from '../../../../test/world/refusals.ts';

test('filters by id and name, pages', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1']);
  for (const id of ['lb-1', 'lb-2', 'lb-3']) await putBalancer(world, id, 'og-1', { name: `name-${id}` });
  const ids = async (request: object) => {
    const answer = await world.call('DescribeLoadBalancerList', { ZoneId: ZONE, ...request });
    return [answer.TotalCount, ...answer.LoadBalancerList.map(({ InstanceId }) => InstanceId)];
  };
  const filter = (Name: string, ...Values: string[]) => ({ Filters: [{ Name, Values }] });
  assert.deepEqual(await ids({}), [3, 'lb-1', 'lb-2', 'lb-3']);
  assert.deepEqual(await ids({ Offset: 1, Limit: 1 }), [3, 'lb-2']);
  assert.deepEqual(await ids(filter('InstanceId', 'lb-3', 'lb-9')), [1, 'lb-3']);
  assert.deepEqual(await ids(filter('InstanceName', 'name-lb-1')), [1, 'lb-1']);
  assert.deepEqual(await ids(filter('InstanceName', 'name')), [0]);
});

test('the health of an origin is what more than half of the sites that know say', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1', '10.0.0.2']);
  await putBalancer(world, 'lb-1', 'og-1', { checker: { type: 'TCP', port: 80 } });
  world.edges.health.set('lb-1 og-1 10.0.0.2', [
    { site: 'a', isHealthy: false },
    { site: 'b', isHealthy: false },
    { site: 'c', isHealthy: true },
  ]);
  const { LoadBalancerList } = await world.call('DescribeLoadBalancerList', { ZoneId: ZONE });
  assert.deepEqual(LoadBalancerList[0]?.OriginGroupHealthStatus[0]?.OriginHealthStatus, [
    { Origin: '10.0.0.1', Healthy: 'Undetected' },
    { Origin: '10.0.0.2', Healthy: 'Unhealthy' },
  ]);
});

refusals(
  'DescribeLoadBalancerList',
  () => ({ ZoneId: ZONE }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    { code: 'InvalidParameterValue', because: 'a page of 101', request: { Limit: 101 } },
    {
      code: 'InvalidParameterValue',
      because: 'a filter of other lists',
      request: { Filters: [{ Name: 'instance-id', Values: ['lb-1'] }] },
    },
  ],
  ['FailedOperation'],
  false,
);
