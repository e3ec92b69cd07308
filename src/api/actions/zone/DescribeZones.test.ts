import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';

const PLAN = 'edgeone-000000000001';

async function threeZones() {
  const world = await actionWorld({ zone: { createdAt: 1, modifiedAt: 9 } });
  const one = await world.call('CreateZone', { ZoneName: 'one.com', PlanId: PLAN, Area: 'mainland' });
  const tagged = { ZoneName: 'two.org', AliasZoneName: 'second', Tags: [{ TagKey: 'team', TagValue: 'a' }] };
  const two = await world.call('CreateZone', tagged);
  await world.call('CreateZone', { ZoneName: 'strange.com' }, STRANGER);
  return { world, one: one.ZoneId, two: two.ZoneId };
}

test('filters find what they name, and nothing of another account', async () => {
  const { world, one, two } = await threeZones();
  await using _ = world;
  type Filter = { Name: string; Values: string[]; Fuzzy?: boolean };
  const cases: [expected: string[], ...filters: Filter[]][] = [
    [[ZONE, one, two]],
    [[one], { Name: 'zone-name', Values: ['one.com', 'none.com'] }],
    [[], { Name: 'zone-name', Values: ['one'] }],
    [[one], { Name: 'zone-name', Values: ['one'], Fuzzy: true }],
    [[two], { Name: 'alias-zone-name', Values: ['eco'], Fuzzy: true }],
    [[ZONE], { Name: 'zone-type', Values: ['partialComposite'] }],
    [[one, two], { Name: 'zone-type', Values: ['partial', 'full'] }],
    [[two, one], { Name: 'zone-id', Values: [two, one] }],
    [[ZONE, one], { Name: 'status', Values: ['pending'] }],
    [[], { Name: 'status', Values: ['deleted'] }],
    [[two], { Name: 'tag-key', Values: ['team'] }, { Name: 'tag-value', Values: ['a'] }],
    [[], { Name: 'tag-key', Values: ['team'] }, { Name: 'tag-value', Values: ['b'] }],
  ];
  for (const [expected, ...Filters] of cases) {
    const { TotalCount, Zones } = await world.call('DescribeZones', { Filters });
    assert.deepEqual(Zones.map(({ ZoneId }) => ZoneId).sort(), expected.toSorted(), JSON.stringify(Filters));
    assert.equal(TotalCount, expected.length);
  }
});

test('pages and orders', async () => {
  const { world, one, two } = await threeZones();
  await using _ = world;
  const ids = async (request: object) => (await world.call('DescribeZones', request)).Zones.map(({ ZoneId }) => ZoneId);
  assert.deepEqual(await ids({ Order: 'zone-name', Direction: 'asc' }), [ZONE, one, two]);
  assert.deepEqual(await ids({ Order: 'zone-name' }), [two, one, ZONE]);
  assert.equal((await ids({ Order: 'create-time' })).at(-1), ZONE);
  assert.deepEqual(await ids({ Order: 'area', Direction: 'asc' }), [ZONE, one, two]);
  assert.equal((await ids({ Order: 'active-status', Direction: 'asc' }))[0], ZONE);
  assert.equal((await ids({ Order: 'active-status', Direction: 'desc' }))[2], ZONE);
  assert.equal((await ids({ Order: 'type' }))[2], ZONE);
  assert.equal((await ids({ Order: 'use-time', Direction: 'asc' }))[0], ZONE);
  assert.deepEqual(await ids({ Order: 'zone-name', Direction: 'asc', Offset: 1, Limit: 1 }), [one]);
  assert.deepEqual(await ids({ Offset: 5 }), []);
  assert.equal((await ids({ Limit: 0 })).length, 3);
});

test('DescribeZones refuses filters it does not know and pages that are too big', async () => {
  await using world = await actionWorld();
  for (const request of [
    { Filters: [{ Name: 'nonsense', Values: [] }] },
    { Filters: [{ Name: 'zone-id', Values: ['x'], Fuzzy: true }] },
    { Limit: 101 },
    { Offset: -1 },
    { Order: 'size' },
  ]) {
    assert.equal(await world.refusedWith('DescribeZones', request as never), 'InvalidParameterValue');
  }
});
