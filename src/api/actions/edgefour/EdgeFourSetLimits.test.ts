import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
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
