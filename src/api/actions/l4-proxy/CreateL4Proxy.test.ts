import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newSite, newZone, ROOT, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { refusals } from '../../../../test/world/refusals.ts';

const BASE = { ZoneId: ZONE, ProxyName: 'proxy-name', Area: 'overseas' } as const;

test('an instance is there at once, in progress until the edges have it', async () => {
  await using world = await actionWorld();
  world.edges.applied = await world.revision();
  const { ProxyId } = await world.call('CreateL4Proxy', BASE);
  assert.match(ProxyId, /^sid-[0-9a-z]{12}$/);
  const filter = { ZoneId: ZONE, Filters: [{ Name: 'proxy-id', Values: [ProxyId] }] };
  const { TotalCount, L4Proxies } = await world.call('DescribeL4Proxy', filter);
  assert.equal(TotalCount, 1);
  const [{ UpdateTime, ...shown } = assert.fail()] = L4Proxies;
  assert.deepEqual(shown, {
    ZoneId: ZONE,
    ProxyId,
    ProxyName: 'proxy-name',
    Area: 'overseas',
    Cname: `proxy-name.${ZONE.slice(5)}.edgefour.test`,
    Ips: [],
    Status: 'progress',
    Ipv6: 'off',
    StaticIp: 'off',
    AccelerateMainland: 'off',
    DDosProtectionConfig: null,
    L4ProxyRuleCount: 0,
  });
  assert.match(UpdateTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
  world.edges.applied = await world.revision();
  assert.equal((await world.call('DescribeL4Proxy', filter)).L4Proxies[0]?.Status, 'online');
});

test('a static IP instance shows the addresses it has at each site; no other instance gets them', async () => {
  const sites = [newSite('a', ['10.0.0.0/30']), newSite('b', ['10.1.0.0/30'])];
  await using world = await actionWorld({ sites });
  const { ProxyId } = await world.call('CreateL4Proxy', { ...BASE, StaticIp: 'on' });
  const { L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE });
  const ips = L4Proxies[0]?.Ips ?? [];
  assert.equal(L4Proxies[0]?.ProxyId, ProxyId);
  assert.equal(ips.length, 2);
  assert.match(ips[0] ?? '', /^10\.0\.0\.[12]$/);
  assert.match(ips[1] ?? '', /^10\.1\.0\.[12]$/);
  await world.call('CreateL4Proxy', { ...BASE, ProxyName: 'second', StaticIp: 'on' });
  assert.equal(
    await world.refusedWith('CreateL4Proxy', { ...BASE, ProxyName: 'third' }),
    'OperationDenied.L4LackOfResources',
  );
  assert.equal((await world.keysUnder('address/')).length, 4);
});

test('when the pool runs short, instances without a static IP share', async () => {
  await using world = await actionWorld({ sites: [newSite('here', ['10.0.0.0/30'])] });
  for (let i = 0; i < 6; i++) await world.call('CreateL4Proxy', { ...BASE, ProxyName: `p-${i}` });
  const claims = await Promise.all(['10.0.0.1', '10.0.0.2'].map((ip) => world.read(keys.address('here', ip))));
  assert.deepEqual(
    claims.map((claim) => claim?.proxies.length),
    [3, 3],
  );
  const fault = await world.refusal('CreateL4Proxy', { ...BASE, ProxyName: 'own', StaticIp: 'on' });
  assert.equal(fault.code, 'OperationDenied.L4LackOfResources');
  assert.match(fault.detail ?? '', /No IPv4 address of its own is left at site here/);
});

test('IPv6: an address where the site has any, none and no error where it has none', async () => {
  const sites = [newSite('old', ['10.0.0.0/24']), newSite('new', ['10.1.0.0/24', 'fd00::/64'])];
  await using world = await actionWorld({ sites });
  await world.call('CreateL4Proxy', { ...BASE, Ipv6: 'on' });
  const entries = (await world.read(keys.proxy(ZONE, 'proxy-name')))?.entries;
  assert.equal(entries?.['old']?.v6, undefined);
  assert.match(entries?.['new']?.v6 ?? '', /^fd00::[0-9a-f:]+$/);
  assert.match(entries?.['new']?.v4 ?? '', /^10\.1\.0\.\d+$/);
});

const mainland = { Area: 'mainland' } as const;
const exclusive = { LevelMainland: 'BASE30_MAX300', LevelOverseas: 'ANYCAST300' };
const tooWide = { LevelMainland: 'BASE30_MAX300', MaxBandwidthMainland: 600 };
refusals(
  'CreateL4Proxy',
  () => ({ ...BASE }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    { code: 'OperationDenied.ErrZoneIsAlreadyPaused', because: 'a paused zone', options: { zone: { paused: true } } },
    { code: 'OperationDenied', because: 'a plan that is not enterprise', options: { plan: { type: 'plan-basic' } } },
    { code: 'OperationDenied', because: 'an isolated plan', options: { plan: { status: 'isolated' } } },
    { code: 'OperationDenied', because: 'a plan past its end', options: { plan: { expiresAt: 1 } } },
    { code: 'OperationDenied', because: 'a plan that is gone', options: { zone: { planId: 'edgeone-none' } } },
    { code: 'InvalidParameter.ProxyNameNotMatched', because: 'a bad name', request: { ProxyName: 'Proxy_Name' } },
    { code: 'InvalidParameterValue', because: 'a bad area', request: { Area: 'europe' } },
    {
      code: 'InvalidParameterValue',
      because: 'a bandwidth outside its level',
      request: { ...mainland, DDosProtectionConfig: tooWide },
    },
    {
      code: 'InvalidParameter.ProxyNameDuplicating',
      because: 'a name in use',
      given: (world) => world.call('CreateL4Proxy', BASE),
    },
    {
      code: 'OperationDenied.Ipv6StaticIpConflict',
      because: 'IPv6 and static IP',
      request: { Ipv6: 'on', StaticIp: 'on' },
    },
    {
      code: 'OperationDenied.AccelerateMainlandIpv6Conflict',
      because: 'acceleration and IPv6',
      request: { Ipv6: 'on', AccelerateMainland: 'on' },
    },
    {
      code: 'OperationDenied',
      because: 'acceleration and static IP',
      request: { StaticIp: 'on', AccelerateMainland: 'on' },
    },
    {
      code: 'OperationDenied.StaticIpAreaConflict',
      because: 'static IP in the mainland',
      request: { ...mainland, StaticIp: 'on' },
    },
    {
      code: 'OperationDenied',
      because: 'acceleration in the mainland',
      request: { ...mainland, AccelerateMainland: 'on' },
    },
    {
      code: 'OperationDenied.AccelerateMainlandDisable',
      because: 'acceleration without the beta',
      request: { AccelerateMainland: 'on' },
    },
    {
      code: 'OperationDenied.MsgIpv6AdvancedConflict',
      because: 'exclusive protection and IPv6',
      request: { ...mainland, Ipv6: 'on', DDosProtectionConfig: exclusive },
    },
    {
      code: 'OperationDenied.Ipv6AdvancedConflict',
      because: 'the same overseas, under the strict table',
      request: { Ipv6: 'on', DDosProtectionConfig: exclusive },
      options: { features: ['strict-combinations'] },
    },
    {
      code: 'OperationDenied.L4LackOfResources',
      because: 'no site in the area',
      options: { sites: [newSite('cn', ['10.0.0.0/24'], ['mainland'])] },
    },
    { code: 'OperationDenied.L4LackOfResources', because: 'an empty pool', options: { sites: [newSite('here', [])] } },
    {
      code: 'OperationDenied.L4LackOfResources',
      because: 'a pool of IPv6 alone',
      options: { sites: [newSite('here', ['fd00::/64'])] },
    },
  ],
  ['FailedOperation', 'UnauthorizedOperation.CamUnauthorized'],
  false,
);

test('a name is free once per zone, whatever else is different', async () => {
  await using world = await actionWorld();
  await world.write(keys.zone('zone-2'), newZone('zone-2', 'edgeone-000000000001'));
  await world.call('CreateL4Proxy', BASE);
  const again = { ...BASE, Area: 'global', Ipv6: 'on', StaticIp: 'on' } as const;
  assert.equal(await world.refusedWith('CreateL4Proxy', again), 'InvalidParameter.ProxyNameDuplicating');
  await world.call('CreateL4Proxy', { ...BASE, ZoneId: 'zone-2' });
});

test('of 16 calls that create one name at once, one wins', async () => {
  await using world = await actionWorld();
  const outcomes = await Promise.allSettled(Array.from({ length: 16 }, () => world.call('CreateL4Proxy', BASE)));
  const codes = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'OK' : (outcome.reason as { code: string }).code,
  );
  assert.equal(codes.filter((code) => code === 'OK').length, 1);
  assert.ok(codes.every((code) => code === 'OK' || code === 'InvalidParameter.ProxyNameDuplicating'));
  assert.equal((await world.keysUnder('proxy-id/')).length, 1);
  assert.equal((await world.keysUnder('address/')).length, 1);
});

test('the beta comes from the account as well as from the start-up features', async () => {
  await using world = await actionWorld();
  await world.write(keys.account(ROOT.account), { id: ROOT.account, appId: 1, features: ['accelerate-mainland'] });
  await world.call('CreateL4Proxy', { ...BASE, AccelerateMainland: 'on' });
});
