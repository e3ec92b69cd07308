/** Disabling, enabling and deleting a zone, and what its instances are then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';

const PROXY = { ZoneId: ZONE, ProxyName: 'p', Area: 'overseas' } as const;

async function statusOf(world: ActionWorld): Promise<string | undefined> {
  return (await world.call('DescribeL4Proxy', { ZoneId: ZONE })).L4Proxies[0]?.Status;
}

async function caughtUp(world: ActionWorld): Promise<void> {
  world.edges.applied = await world.revision();
}

test('disabling a zone stops its instances once the edges have heard, enabling brings them back', async () => {
  await using world = await actionWorld();
  await world.call('CreateL4Proxy', PROXY);
  await caughtUp(world);
  assert.equal(await statusOf(world), 'online');
  await world.call('ModifyZoneStatus', { ZoneId: ZONE, Paused: true });
  assert.equal(await statusOf(world), 'stopping');
  const { Zones } = await world.call('DescribeZones', {});
  assert.deepEqual([Zones[0]?.Paused, Zones[0]?.ActiveStatus, Zones[0]?.Status], [true, 'paused', 'pending']);
  await caughtUp(world);
  assert.equal(await statusOf(world), 'offline');
  await world.call('ModifyZoneStatus', { ZoneId: ZONE, Paused: false });
  assert.equal(await statusOf(world), 'progress');
  // wire: the zone that exists from the start is active from the start.
  const [enabled] = (await world.call('DescribeZones', {})).Zones;
  assert.deepEqual([enabled?.Paused, enabled?.ActiveStatus, enabled?.Status], [false, 'active', 'active']);
  await caughtUp(world);
  assert.equal(await statusOf(world), 'online');
});

test('asking for what is so writes nothing', async () => {
  await using world = await actionWorld();
  const before = await world.revision();
  await world.call('ModifyZoneStatus', { ZoneId: ZONE, Paused: false });
  assert.equal(await world.revision(), before);
});

test('a zone is not disabled while an instance of it is on its way', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await world.call('CreateL4Proxy', PROXY);
  for (let i = 0; i < 300; i++) {
    const proxy = await world.read(keys.proxy(ZONE, 'p'));
    if (proxy) await world.write(keys.proxy(ZONE, `a-${i}`), { ...proxy, name: `a-${i}`, changed: 1 });
  }
  world.edges.applied = 1;
  const pause = { ZoneId: ZONE, Paused: true } as const;
  const progress = await world.refusal('ModifyZoneStatus', pause);
  assert.equal(progress.code, 'OperationDenied.L4ProxyInProgressStatus');
  assert.match(progress.detail ?? '', new RegExp(ProxyId));
  await caughtUp(world);
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  assert.equal(await world.refusedWith('ModifyZoneStatus', pause), 'OperationDenied.L4ProxyInStoppingStatus');
  await caughtUp(world);
  await world.call('ModifyZoneStatus', pause);
});

test('an unknown zone, and one of another account', async () => {
  await using world = await actionWorld();
  const unknown = { ZoneId: 'zone-000000000000', Paused: true };
  assert.equal(await world.refusedWith('ModifyZoneStatus', unknown), 'ResourceNotFound');
  assert.equal(
    await world.refusedWith('ModifyZoneStatus', { ZoneId: ZONE, Paused: true }, STRANGER),
    'ResourceNotFound',
  );
  assert.equal(await world.refusedWith('DeleteZone', { ZoneId: ZONE }, STRANGER), 'ResourceNotFound');
});

test('DeleteZone: a disabled zone without instances goes, and its name is free again', async () => {
  await using world = await actionWorld();
  const { ZoneId } = await world.call('CreateZone', { ZoneName: 'example.com', PlanId: 'edgeone-000000000001' });
  const group = { id: 'og-1', zone: ZoneId, name: 'g', type: 'GENERAL', hostHeader: '', records: [] } as const;
  await world.write(keys.originGroup(ZoneId, 'og-1'), { ...group, changed: 1, createdAt: 0, updatedAt: 0 });
  assert.equal(await world.refusedWith('DeleteZone', { ZoneId }), 'OperationDenied.DisableZoneNotCompleted');
  const { ProxyId } = await world.call('CreateL4Proxy', { ...PROXY, ZoneId });
  await world.call('ModifyL4ProxyStatus', { ZoneId, ProxyId, Status: 'offline' });
  await world.call('ModifyZoneStatus', { ZoneId, Paused: true });
  assert.equal(await world.refusedWith('DeleteZone', { ZoneId }), 'OperationDenied.DeleteZonePreCheckFailed');
  await world.call('DeleteL4Proxy', { ZoneId, ProxyId });
  await world.call('DeleteZone', { ZoneId });
  assert.equal(await world.read(keys.originGroup(ZoneId, 'og-1')), undefined);
  const { TotalCount } = await world.call('DescribeZones', { Filters: [{ Name: 'zone-id', Values: [ZoneId] }] });
  assert.equal(TotalCount, 0);
  await world.call('CreateZone', { ZoneName: 'example.com' });
});
