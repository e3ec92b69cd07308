import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newSite, ZONE } from '../../../../test/world/actions.ts';
import { alter, prepare, refusals, WEB } from '../../../../test/world/refusals.ts';

const DUAL = [newSite('here', ['10.0.0.0/24', 'fd00::/126'])];

test('IPv6 on and off takes an address and gives it back, and only then is the instance in progress', async () => {
  await using world = await actionWorld({ sites: DUAL });
  const { ProxyId } = await prepare(world);
  const proxy = async () => (await world.read(keys.proxy(ZONE, 'prepared'))) ?? assert.fail();
  const before = await proxy();
  await world.call('ModifyL4Proxy', { ZoneId: ZONE, ProxyId, Ipv6: 'on' });
  const on = await proxy();
  assert.equal(on.entries['here']?.v4, before.entries['here']?.v4);
  assert.match(on.entries['here']?.v6 ?? '', /^fd00::[123]$/);
  assert.equal((await world.keysUnder('address/here/v6/')).length, 1);
  assert.equal(on.changed, await world.revision());
  assert.deepEqual(on.rules, before.rules);
  await world.call('ModifyL4Proxy', { ZoneId: ZONE, ProxyId, Ipv6: 'off' });
  assert.deepEqual((await proxy()).entries, before.entries);
  assert.deepEqual(await world.keysUnder('address/here/v6/'), []);
});

test('a request that changes nothing writes nothing', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const before = await world.revision();
  await world.call('ModifyL4Proxy', { ZoneId: ZONE, ProxyId });
  await world.call('ModifyL4Proxy', { ZoneId: ZONE, ProxyId, Ipv6: 'off', AccelerateMainland: 'off' });
  assert.equal(await world.revision(), before);
});

test('an instance with rules shares an IPv6 address only where its ports are free', async () => {
  await using world = await actionWorld({ sites: [newSite('here', ['10.0.0.0/24', 'fd00::1'])] });
  const first = { ZoneId: ZONE, ProxyName: 'first', Area: 'overseas', Ipv6: 'on' } as const;
  const holder = await world.call('CreateL4Proxy', first);
  const { ProxyId } = await prepare(world);
  const rules = [{ ...WEB, PortRange: ['80-90'], OriginValue: ['10.0.0.8'] }];
  const request = { ZoneId: ZONE, ProxyId: holder.ProxyId, L4ProxyRules: rules };
  const { L4ProxyRuleIds } = await world.call('CreateL4ProxyRules', request);
  const modify = { ZoneId: ZONE, ProxyId, Ipv6: 'on' } as const;
  assert.equal(await world.refusedWith('ModifyL4Proxy', modify), 'OperationDenied.L4LackOfResources');
  const moved = [{ RuleId: L4ProxyRuleIds[0] ?? '', PortRange: ['81-90'] }];
  await world.call('ModifyL4ProxyRules', { ...request, L4ProxyRules: moved });
  await world.call('ModifyL4Proxy', modify);
  assert.equal((await world.read(keys.address('here', 'fd00::1')))?.proxies.length, 2);
});

const BETA = { features: ['accelerate-mainland'] };
refusals(
  'ModifyL4Proxy',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId, Ipv6: 'on' as const }),
  [
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'OperationDenied.L4ProxyInProcessStatus',
      because: 'the instance is being deployed',
      given: (world) => (world.edges.applied = 0),
    },
    {
      code: 'OperationDenied.L4ProxyInProcessStatus',
      because: 'the instance is being stopped',
      async given(world, { ProxyId }) {
        await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
        world.edges.applied = 0;
      },
    },
    {
      code: 'OperationDenied.L4ProxyInOfflineStatus',
      because: 'the instance is off',
      given: (world, { ProxyId }) => world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' }),
    },
    {
      code: 'OperationDenied.L4ProxyInBannedStatus',
      because: 'the instance is banned',
      given: (world, { ProxyId }) => world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId }),
    },
    {
      code: 'OperationDenied.AccelerateMainlandDisable',
      because: 'the account lacks the beta',
      request: { Ipv6: 'off', AccelerateMainland: 'on' },
    },
    {
      code: 'OperationDenied.AccelerateMainlandIpv6Conflict',
      because: 'both',
      request: { AccelerateMainland: 'on' },
      options: BETA,
    },
    {
      code: 'OperationDenied',
      because: 'acceleration of a static IP instance',
      request: { Ipv6: 'off', AccelerateMainland: 'on' },
      options: BETA,
      given: (world) => alter(world, { staticIp: 'on' }),
    },
    {
      code: 'OperationDenied.Ipv6StaticIpConflict',
      because: 'IPv6 of a static IP instance',
      given: (world) => alter(world, { staticIp: 'on' }),
    },
    {
      code: 'OperationDenied.StaticIpAreaConflict',
      because: 'a static IP instance outside overseas, which older data may hold',
      request: { Ipv6: 'off' },
      given: (world) => alter(world, { staticIp: 'on', area: 'global', accelerateMainland: 'off', ipv6: 'on' }),
    },
    {
      code: 'OperationDenied.MsgIpv6AdvancedConflict',
      because: 'exclusive protection outside overseas',
      given: (world) => alter(world, { area: 'global', ddos: { levelMainland: 'BASE30_MAX300' } }),
    },
    {
      code: 'OperationDenied.Ipv6AdvancedConflict',
      because: 'exclusive protection, under the strict table',
      options: { features: ['strict-combinations'] },
      given: (world) => alter(world, { ddos: { levelOverseas: 'ANYCAST300' } }),
    },
    {
      code: 'OperationDenied.L4LackOfResources',
      because: 'the only IPv6 address is held alone',
      options: { sites: [newSite('here', ['10.0.0.0/24', 'fd00::1'])] },
      given: (world) =>
        world.write(keys.address('here', 'fd00::1'), { proxies: [{ zone: ZONE, name: 'other' }], exclusive: true }),
    },
  ],
  ['UnauthorizedOperation.CamUnauthorized'],
);
