import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import type { AddressList, AddressListPart } from '../../../domain/limit/networks.ts';
import { keys } from '../../../store/records.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

test('limits are set, shown and taken away; lists and bans come and go', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const it = { ZoneId: ZONE, ProxyId };
  await world.call('EdgeFourPutAddressList', { ZoneId: ZONE, Name: 'bad', Networks: ['192.0.2.1/24', '192.0.2.0/24'] });
  await world.call('EdgeFourSetLimits', { ...it, NewPerSecond: 20, Deny: ['bad'] });
  await world.call('EdgeFourSetLimits', { ...it, RuleIds: [RuleId], Concurrent: 5 });
  await world.call('EdgeFourBanNetwork', { ...it, Network: '198.51.100.7/24' });
  const shown = await world.call('EdgeFourDescribeLimits', it);
  assert.deepEqual(shown, {
    Limits: { NewPerSecond: 20, Deny: ['bad'] },
    Rules: [{ RuleId, Limits: { Concurrent: 5 }, Dropped: [] }],
    Bans: [{ Network: '198.51.100.0/24' }],
  });
  await world.call('EdgeFourSetLimits', { ...it, NewPerSecond: 0, Deny: [] });
  await world.call('EdgeFourUnbanNetwork', { ...it, Network: '198.51.100.0/24' });
  const { Limits, Bans } = await world.call('EdgeFourDescribeLimits', it);
  assert.deepEqual([Limits, Bans], [{}, []]);
});

test('a long list is in force when its last part has come; an empty one is gone', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const put = (Part: number, Parts: number, Networks: string[]) =>
    world.call('EdgeFourPutAddressList', { ZoneId: ZONE, Name: 'bad', Networks, Part, Parts });
  const inForce = () =>
    world.store.read((view) => {
      const list = view.get(keys.addressList(ZONE, 'bad'))?.value as AddressList | undefined;
      return Array.from({ length: list?.parts ?? 0 }, (_, part) => {
        const key = keys.addressListPart(ZONE, 'bad', list?.side ?? 'a', part);
        return (view.get(key)?.value as AddressListPart | undefined)?.networks[0];
      });
    });
  const parts = () => world.store.read((view) => view.count(keys.allAddressListParts()));
  await put(0, 2, ['192.0.2.0']);
  assert.deepEqual(await inForce(), []);
  await put(1, 2, ['192.0.2.1']);
  assert.deepEqual(await inForce(), ['192.0.2.0', '192.0.2.1']);
  // Given up half way, and begun again with less.
  await put(0, 3, ['192.0.2.2']);
  await put(1, 3, ['192.0.2.3']);
  assert.deepEqual(await inForce(), ['192.0.2.0', '192.0.2.1']);
  await put(0, 1, ['192.0.2.4']);
  assert.deepEqual([await inForce(), await parts()], [['192.0.2.4'], 1]);
  await world.call('EdgeFourSetLimits', { ZoneId: ZONE, ProxyId, Deny: ['bad'] });
  await put(0, 1, []);
  assert.deepEqual([await inForce(), await parts()], [[], 0]);
});

test('bans that have ended do not count; those of an instance go with it', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const it = { ZoneId: ZONE, ProxyId };
  const bans = () => world.store.read((view) => view.count(keys.bans(ProxyId)));
  const put = (first: number, more: object) =>
    world.store.commit(
      Array.from({ length: 5_000 }, (_, n) => {
        const network = `10.${first}.${n >> 8}.${n & 255}`;
        return { key: keys.ban(ProxyId, network), value: { network, ...more } };
      }),
      [],
    );
  await put(0, {});
  await put(1, { until: 1 });
  await world.call('EdgeFourBanNetwork', { ...it, Network: '192.0.2.1' });
  assert.equal(await bans(), 5_001);
  await put(1, {});
  const full = world.call('EdgeFourBanNetwork', { ...it, Network: '192.0.2.2' });
  await assert.rejects(full, { code: 'InvalidParameter.ParameterError' });
  await world.call('EdgeFourBanNetwork', { ...it, Network: '192.0.2.1', Seconds: 5 });

  await world.call('ModifyL4ProxyStatus', { ...it, Status: 'offline' });
  await world.call('DeleteL4Proxy', it);
  assert.equal(await bans(), 0);
});

test('a reset takes lists and bans along', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  await world.call('EdgeFourPutAddressList', { ZoneId: ZONE, Name: 'bad', Networks: ['192.0.2.1'] });
  await world.call('EdgeFourBanNetwork', { ZoneId: ZONE, ProxyId, Network: '192.0.2.1' });
  await world.call('EdgeFourReset', {});
  const all = [keys.allAddressLists(), keys.allAddressListParts(), keys.allBans()];
  assert.deepEqual(await world.store.read((view) => all.map((prefix) => view.count(prefix))), [0, 0, 0]);
});

const unknown = {
  code: 'ResourceNotFound',
  because: 'an unknown instance',
  request: { ProxyId: 'sid-000000000000' },
} as const;
const foreign = { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER } as const;
const noNetwork = {
  code: 'InvalidParameter.ParameterError',
  because: 'no network',
  request: { Network: '10.0.0.0/33' },
} as const;

refusals('EdgeFourSetLimits', ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId, Concurrent: 1 }), [unknown, foreign], []);
refusals('EdgeFourDescribeLimits', ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId }), [unknown, foreign], []);
refusals(
  'EdgeFourBanNetwork',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId, Network: '192.0.2.1' }),
  [unknown, foreign, noNetwork],
  [],
);
refusals(
  'EdgeFourUnbanNetwork',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId, Network: '192.0.2.1' }),
  [unknown, foreign],
  [],
);
refusals(
  'EdgeFourPutAddressList',
  () => ({ ZoneId: ZONE, Name: 'bad', Networks: ['192.0.2.1'] }),
  [
    foreign,
    { code: 'InvalidParameter.ParameterError', because: 'no network', request: { Networks: ['x'] } },
    {
      code: 'InvalidParameter.ParameterError',
      because: 'a part before the one before it',
      request: { Part: 1, Parts: 2 },
    },
  ],
  [],
);
