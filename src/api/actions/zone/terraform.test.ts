/** The calls of Terraform's zone resource, in its order and with its fields; what it reads must be what it wrote. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, ROOT, ZONE } from '../../../../test/world/actions.ts';

const PLAN = 'edgeone-000000000001';

interface Written {
  readonly zone_name: string;
  readonly type: 'partial' | 'full' | 'noDomainAccess';
  readonly area: 'global' | 'mainland' | 'overseas' | '';
  readonly alias_zone_name?: string;
  readonly paused?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
}

/** What the provider puts into its state: every attribute it wrote must be found here unchanged. */
async function refresh(world: ActionWorld, id: string): Promise<Record<string, unknown>> {
  const { Zones } = await world.call('DescribeZones', { Filters: [{ Name: 'zone-id', Values: [id] }], Limit: 100 });
  const zone = Zones[0] ?? assert.fail('the provider would forget the zone');
  const { Tags } = await world.call('DescribeResourceTagsByResourceIds', {
    ServiceType: 'teo',
    ResourcePrefix: 'zone',
    ResourceRegion: 'ap-guangzhou',
    ResourceIds: [id],
    Limit: 10,
    Offset: 0,
  });
  return {
    zone_name: zone.ZoneName,
    type: zone.Type,
    area: zone.Area,
    alias_zone_name: zone.AliasZoneName,
    paused: zone.Paused,
    status: zone.Status,
    active_status: zone.ActiveStatus,
    plan_id: zone.Resources[0]?.PlanId,
    tags: Object.fromEntries(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
  };
}

async function apply(world: ActionWorld, zone: Written): Promise<string> {
  const { zone_name: ZoneName, alias_zone_name: AliasZoneName } = zone;
  const { ZoneId } = await world.call('CreateZone', {
    Type: zone.type,
    PlanId: PLAN,
    ...(ZoneName && { ZoneName }),
    ...(zone.area && { Area: zone.area }),
    ...(AliasZoneName && { AliasZoneName }),
  });
  assert.equal((await refresh(world, ZoneId))['status'], 'pending', 'the provider waits for exactly this word');
  if (zone.paused) {
    await world.call('ModifyZoneStatus', { ZoneId, Paused: true });
    assert.equal((await refresh(world, ZoneId))['active_status'], 'paused');
  }
  if (zone.tags) {
    const ReplaceTags = Object.entries(zone.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    await world.call('ModifyResourceTags', { Resource: `qcs::teo:ap-guangzhou:uin/:zone/${ZoneId}`, ReplaceTags });
  }
  return ZoneId;
}

async function destroy(world: ActionWorld, ZoneId: string): Promise<void> {
  if ((await refresh(world, ZoneId))['paused'] === false) {
    await world.call('ModifyZoneStatus', { ZoneId, Paused: true });
    assert.equal((await refresh(world, ZoneId))['active_status'], 'paused');
  }
  await world.call('DeleteZone', { ZoneId });
  assert.equal((await world.call('DescribeZones', { Filters: [{ Name: 'zone-id', Values: [ZoneId] }] })).TotalCount, 0);
}

const ZONES: readonly Written[] = [
  { zone_name: 'example.com', type: 'partial', area: 'overseas' },
  {
    zone_name: 'example.com',
    type: 'partial',
    area: 'global',
    alias_zone_name: 'games',
    tags: { team: 'a', env: 'b' },
  },
  { zone_name: 'example.org', type: 'full', area: 'mainland', paused: true },
  { zone_name: '', type: 'noDomainAccess', area: '' },
  { zone_name: '', type: 'noDomainAccess', area: 'global', alias_zone_name: 'l4' },
];

for (const zone of ZONES) {
  test(`apply, plan without a difference, destroy: ${JSON.stringify(zone)}`, async () => {
    await using world = await actionWorld();
    const id = await apply(world, zone);
    const state = await refresh(world, id);
    assert.equal(state['plan_id'], PLAN);
    for (const [name, value] of Object.entries(zone)) assert.deepEqual(state[name], value, name);
    await destroy(world, id);
  });
}

test('paused, and enabled again: the provider waits for inactive, and has it until an instance is online', async () => {
  await using world = await actionWorld();
  const id = await apply(world, { zone_name: '', type: 'noDomainAccess', area: '', paused: true });
  await world.call('ModifyZoneStatus', { ZoneId: id, Paused: false });
  const words = async () => {
    const { status, active_status: active } = await refresh(world, id);
    return [status, active];
  };
  assert.deepEqual(await words(), ['active', 'inactive']);
  const { ProxyId } = await world.call('CreateL4Proxy', { ZoneId: id, ProxyName: 'p', Area: 'overseas' });
  assert.deepEqual(await words(), ['active', 'active']);
  await world.call('ModifyL4ProxyStatus', { ZoneId: id, ProxyId, Status: 'offline' });
  assert.deepEqual(await words(), ['active', 'inactive']);
});

test('the provider sees inactive once, also where an instance is online before it asks', async () => {
  await using world = await actionWorld();
  await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'p', Area: 'overseas' });
  for (const Paused of [true, false]) await world.call('ModifyZoneStatus', { ZoneId: ZONE, Paused });
  const active = async (client: string) =>
    (await world.call('DescribeZones', {}, { ...ROOT, client })).Zones[0]?.ActiveStatus;
  assert.deepEqual([await active('Terraform-latest,id=z'), await active('')], ['inactive', 'active']);
  const zone = (await world.read(keys.zone(ZONE))) ?? assert.fail();
  await world.write(keys.zone(ZONE), { ...zone, enabledAt: zone.modifiedAt - 60_000 });
  assert.equal(await active('Terraform-latest,id=z'), 'active');
});

test('an update sends type and area again, changed or not', async () => {
  await using world = await actionWorld();
  const zone = { zone_name: '', type: 'noDomainAccess', area: '', alias_zone_name: 'before' } as const;
  const id = await apply(world, zone);
  await world.call('ModifyZone', { ZoneId: id, Type: 'noDomainAccess', AliasZoneName: 'after' });
  assert.equal((await refresh(world, id))['alias_zone_name'], 'after');
  const other = await apply(world, { zone_name: 'example.com', type: 'partial', area: 'overseas' });
  await world.call('ModifyZone', { ZoneId: other, Type: 'full', Area: 'overseas' });
  assert.equal((await refresh(world, other))['type'], 'full');
});
