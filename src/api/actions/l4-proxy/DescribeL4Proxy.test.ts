import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, STRANGER, ROOT, ZONE } from '../../../../test/world/actions.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

async function zoneOfFive() {
  const world = await actionWorld();
  const ids: string[] = [];
  for (const ProxyName of ['a', 'b', 'c', 'd', 'e']) {
    const { ProxyId } = await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName, Area: 'overseas' });
    ids.push(ProxyId);
  }
  return { world, ids };
}

test('pages: Limit 0 is the default, TotalCount counts all', async () => {
  const { world } = await zoneOfFive();
  await using _ = world;
  const names = async (page: object) => {
    const { TotalCount, L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE, ...page });
    assert.equal(TotalCount, 5);
    return L4Proxies.map(({ ProxyName }) => ProxyName).join('');
  };
  assert.equal(await names({}), 'abcde');
  assert.equal(await names({ Limit: 0, Filters: [] }), 'abcde');
  assert.equal(await names({ Offset: 1, Limit: 2 }), 'bc');
  assert.equal(await names({ Offset: 9, Limit: 2 }), '');
});

test('filters: named instances, several filters, nothing for what is not there', async () => {
  const { world, ids } = await zoneOfFive();
  await using _ = world;
  await world.call('CreateL4Proxy', {
    ZoneId: ZONE,
    ProxyName: 'f',
    Area: 'mainland',
    DDosProtectionConfig: { LevelMainland: 'BASE30_MAX300', MaxBandwidthMainland: 30, LevelOverseas: 'PLATFORM' },
  });
  const find = async (...filters: [name: string, ...values: string[]][]) => {
    const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }));
    const { TotalCount, L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE, Filters, Limit: 2 });
    return `${L4Proxies.map(({ ProxyName }) => ProxyName).join('')}/${TotalCount}`;
  };
  const [a = '', b = '', c = ''] = ids;
  assert.equal(await find(['proxy-id', a]), 'a/1');
  assert.equal(await find(['proxy-id', c, a, b, 'sid-nobody']), 'ca/3');
  assert.equal(await find(['proxy-id', 'sid-nobody']), '/0');
  assert.equal(await find(['proxy-id', a, b], ['proxy-id', b, c]), 'b/1');
  assert.equal(await find(['ddos-protection-type', 'BASE30_MAX300']), 'f/1');
  assert.equal(await find(['ddos-protection-type', 'PLATFORM']), 'ab/5');
  assert.equal(await find(['ddos-protection-type', 'BASE30_MAX300'], ['proxy-id', a]), '/0');
});

test('protection comes back as it was given', async () => {
  await using world = await actionWorld();
  const DDosProtectionConfig = { LevelOverseas: 'ANYCAST300' } as const;
  await prepare(world, { DDosProtectionConfig });
  const terraform = { ...ROOT, client: 'Terraform-latest' };
  const asSent = await world.call('DescribeL4Proxy', { ZoneId: ZONE }, terraform);
  assert.deepEqual(asSent.L4Proxies[0]?.DDosProtectionConfig, DDosProtectionConfig);
  const { L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE });
  const defaults = { LevelMainland: 'PLATFORM', MaxBandwidthMainland: 0 };
  assert.deepEqual(L4Proxies[0]?.DDosProtectionConfig, { ...defaults, ...DDosProtectionConfig });
  assert.equal(L4Proxies[0]?.L4ProxyRuleCount, 1);
});

test('states: progress, online, fail with the instance; banned and paused win', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const status = async () => (await world.call('DescribeL4Proxy', { ZoneId: ZONE })).L4Proxies[0]?.Status;
  assert.equal(await status(), 'online');
  world.edges.failures.set(ProxyId, ['edge-1: no address']);
  assert.equal(await status(), 'fail');
  world.edges.applied = 0;
  assert.equal(await status(), 'progress');
  await world.pauseZone(true);
  assert.equal(await status(), 'stopping');
  world.edges.applied = Infinity;
  assert.equal(await status(), 'offline');
  await world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId });
  assert.equal(await status(), 'banned');
});

refusals(
  'DescribeL4Proxy',
  () => ({ ZoneId: ZONE }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    { code: 'InvalidParameterValue', because: 'a page too long', request: { Limit: 1001 } },
    {
      code: 'InvalidParameterValue',
      because: 'an unknown filter',
      request: { Filters: [{ Name: 'proxy-name', Values: ['a'] }] },
    },
    {
      code: 'InvalidParameterValue',
      because: 'too many values',
      request: { Filters: [{ Name: 'proxy-id', Values: Array.from({ length: 21 }, String) }] },
    },
  ],
  [
    'InternalError.ProxyServer',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
    'UnauthorizedOperation.Unknown',
  ],
);
