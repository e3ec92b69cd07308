import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newZone, ROOT, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { newGroup, putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

const OTHER = 'zone-000000000002';

async function twoZones() {
  const world = await actionWorld();
  await world.write(keys.zone(OTHER), newZone(OTHER, 'edgeone-000000000001'));
  await putGroup(world, 'og-1', ['10.0.0.1'], { name: 'web-a' });
  await putGroup(world, 'og-2', ['10.0.0.2'], { name: 'web-b' });
  await world.write(keys.originGroup(OTHER, 'og-3'), { ...newGroup('og-3', ['10.0.0.3']), zone: OTHER, name: 'db' });
  return world;
}

test('filters, pages, and groups of every zone where none is named', async () => {
  await using world = await twoZones();
  const ids = async (request: object) => {
    const { TotalCount, OriginGroups } = await world.call('DescribeOriginGroup', request);
    return [TotalCount, ...OriginGroups.map(({ GroupId }) => GroupId)];
  };
  const filter = (Name: string, Value: string, more: object = {}) => ({
    Filters: [{ Name, Values: [Value], ...more }],
  });
  assert.deepEqual(await ids({}), [3, 'og-3', 'og-1', 'og-2']);
  assert.deepEqual(await ids({ ZoneId: ZONE }), [2, 'og-1', 'og-2']);
  assert.deepEqual(await ids({ ZoneId: ZONE, Offset: 1, Limit: 1 }), [2, 'og-2']);
  assert.deepEqual(await ids(filter('origin-group-id', 'og-2')), [1, 'og-2']);
  assert.deepEqual(await ids(filter('origin-group-id', 'og-9')), [0]);
  assert.deepEqual(await ids(filter('origin-group-name', 'web')), [0]);
  assert.deepEqual(await ids(filter('origin-group-name', 'web', { Fuzzy: true })), [2, 'og-1', 'og-2']);
  assert.deepEqual(await ids(filter('zone-id', OTHER)), [1, 'og-3']);
});

test('a caller is shown no group of a zone that it may not see, and no other account any', async () => {
  await using world = await twoZones();
  const sees = (zone: string) => zone === OTHER;
  const shown = await world.call('DescribeOriginGroup', {}, { ...ROOT, user: 'sam', sees });
  assert.deepEqual(
    shown.OriginGroups.map(({ GroupId }) => GroupId),
    ['og-3'],
  );
  assert.equal((await world.call('DescribeOriginGroup', {}, STRANGER)).TotalCount, 0);
});

test('who uses a group is listed: balancers, and instances by their rules as long as these are there', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  await putGroup(world, 'og-1', ['10.0.0.1']);
  await putBalancer(world, 'lb-1', 'og-1');
  const RuleId = await putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1');
  const users = async () => {
    const { OriginGroups } = await world.call('DescribeOriginGroup', { ZoneId: ZONE });
    return OriginGroups[0]?.References.map(({ InstanceType, InstanceId, InstanceName, ZoneId }) =>
      [InstanceType, InstanceId, InstanceName, ZoneId].join(' '),
    );
  };
  const balancer = `load-balancer lb-1 lb-1 ${ZONE}`;
  assert.deepEqual(await users(), [balancer, `application-proxy ${ProxyId} prepared ${ZONE}`]);
  const elsewhere = { RuleId, OriginType: 'IP_DOMAIN' as const, OriginValue: ['10.0.0.9'] };
  await world.call('ModifyL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [elsewhere] });
  assert.deepEqual(await users(), [balancer]);
});

refusals(
  'DescribeOriginGroup',
  () => ({ ZoneId: ZONE }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    {
      code: 'InvalidParameterValue',
      because: 'an unknown filter',
      request: { Filters: [{ Name: 'colour', Values: ['red'] }] },
    },
    {
      code: 'InvalidParameterValue',
      because: 'a fuzzy id',
      request: { Filters: [{ Name: 'origin-group-id', Values: ['og'], Fuzzy: true }] },
    },
  ],
  ['UnauthorizedOperation.CamUnauthorized', 'UnauthorizedOperation.NoPermission', 'UnauthorizedOperation.Unknown'],
  false,
);
