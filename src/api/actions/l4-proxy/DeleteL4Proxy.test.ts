import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newSite, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

test('what is off goes with its rules and addresses; its name is free again', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  await world.call('DeleteL4Proxy', { ZoneId: ZONE, ProxyId });
  for (const prefix of ['proxy/', 'proxy-id/', 'address/']) assert.deepEqual(await world.keysUnder(prefix), []);
  assert.deepEqual(await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId }), {
    TotalCount: 0,
    L4ProxyRules: [],
  });
  await prepare(world);
});

test('in a paused zone instances are off, so they can go; so can one that failed', async () => {
  await using world = await actionWorld();
  const first = await prepare(world);
  await world.pauseZone(true);
  await world.call('DeleteL4Proxy', { ZoneId: ZONE, ProxyId: first.ProxyId });
  await world.pauseZone(false);
  const { ProxyId } = await prepare(world);
  world.edges.failures.set(ProxyId, ['edge-1: no entry address']);
  await world.call('DeleteL4Proxy', { ZoneId: ZONE, ProxyId });
});

test('who shared the address keeps it', async () => {
  await using world = await actionWorld({ sites: [newSite('here', ['10.0.0.1'])] });
  await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'other', Area: 'overseas' });
  const { ProxyId } = await prepare(world);
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  await world.call('DeleteL4Proxy', { ZoneId: ZONE, ProxyId });
  const claim = await world.read(keys.address('here', '10.0.0.1'));
  assert.deepEqual(claim, { proxies: [{ zone: ZONE, name: 'other' }], exclusive: false });
});

refusals(
  'DeleteL4Proxy',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId }),
  [
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    { code: 'FailedOperation', because: 'the instance is online' },
    {
      code: 'FailedOperation',
      because: 'the instance is being stopped',
      async given(world, { ProxyId }) {
        await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
        world.edges.applied = 0;
      },
    },
  ],
  ['UnauthorizedOperation.CamUnauthorized'],
);
