import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newPlan, STRANGER, ZONE } from '../../../../test/world/actions.ts';

const named = { type: 'partial', name: 'example.com', area: 'overseas' } as const;

test('a zone without a domain takes one, an area and an alias', async () => {
  await using world = await actionWorld();
  await world.call('ModifyZone', { ZoneId: ZONE, Area: 'global', AliasZoneName: 'games' });
  await world.call('ModifyZone', { ZoneId: ZONE, Type: 'partial', ZoneName: 'example.com' });
  const zone = await world.read(keys.zone(ZONE));
  assert.deepEqual([zone?.type, zone?.name, zone?.area, zone?.alias], ['partial', 'example.com', 'global', 'games']);
  assert.equal(
    await world.refusedWith('CreateZone', { ZoneName: 'example.com', AliasZoneName: 'games' }),
    'InvalidParameterValue.ZoneSameAsName',
  );
});

test('a zone with a domain changes its access and its name servers; naming what is there changes nothing', async () => {
  await using world = await actionWorld({ zone: named });
  const vanity = { Switch: 'on', Servers: ['ns1.example.com'] } as const;
  await world.call('ModifyZone', {
    ZoneId: ZONE,
    Type: 'full',
    VanityNameServers: { ...vanity, Servers: [...vanity.Servers] },
  });
  const { Zones } = await world.call('DescribeZones', {});
  assert.deepEqual([Zones[0]?.Type, Zones[0]?.VanityNameServers], ['full', vanity]);
  const before = await world.revision();
  await world.call('ModifyZone', { ZoneId: ZONE, Type: 'full', Area: 'overseas', ZoneName: 'example.com' });
  await world.call('ModifyZone', { ZoneId: ZONE });
  assert.equal(await world.revision(), before);
});

test('changing a zone leaves its instances alone', async () => {
  await using world = await actionWorld();
  await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'p', Area: 'overseas' });
  world.edges.applied = await world.revision();
  await world.call('ModifyZone', { ZoneId: ZONE, AliasZoneName: 'games' });
  const { L4Proxies } = await world.call('DescribeL4Proxy', { ZoneId: ZONE });
  assert.equal(L4Proxies[0]?.Status, 'online');
});

test('every refusal has its cause', async (t) => {
  type Zone = NonNullable<Parameters<typeof actionWorld>[0]>['zone'];
  const cases: [code: string, name: string, request: object, zone?: Zone][] = [
    ['ResourceNotFound', 'an unknown zone', { ZoneId: 'zone-000000000000' }],
    ['OperationDenied.ErrZoneIsAlreadyPaused', 'a disabled zone', { AliasZoneName: 'a' }, { paused: true }],
    ['InvalidParameter.ZoneNameIsRequired', 'no name for a zone that takes one', { Type: 'partial' }],
    ['InvalidParameterValue.ZoneNameInvalid', 'a bad name', { Type: 'partial', ZoneName: 'a b' }],
    ['InvalidParameterValue.ZoneNameNotSupportPunyCode', 'Punycode', { Type: 'partial', ZoneName: 'xn--a.com' }],
    ['InvalidParameterValue.TopLevelDomainNotSupport', 'a top-level domain', { Type: 'partial', ZoneName: 'com' }],
    ['InvalidParameterValue.ZoneNameNotSupportSubDomain', 'a subdomain', { Type: 'partial', ZoneName: 'a.b.com' }],
    [
      'OperationDenied.NoDomainAccessZoneOnlyAllowModifiedToCNAME',
      'NS access without a domain',
      { Type: 'full', ZoneName: 'example.com' },
    ],
    ['OperationDenied.NoDomainAccessZoneOnlySupportModifyType', 'a name alone', { ZoneName: 'example.com' }],
    [
      'OperationDenied.NoDomainAccessZoneOnlySupportModifyAreaAndAliasZoneName',
      'name servers without a domain',
      { VanityNameServers: { Switch: 'on', Servers: ['ns.example.com'] } },
    ],
    ['InvalidParameterValue', 'another name', { ZoneName: 'example.org' }, named],
    ['InvalidParameterValue', 'giving up the domain', { Type: 'noDomainAccess' }, named],
    ['InvalidParameterValue', 'an alias of other characters', { AliasZoneName: 'a b' }],
    ['InvalidParameter.LengthExceedsLimit', 'a long alias', { AliasZoneName: 'a'.repeat(201) }],
    ['ResourceNotFound.DNSPodDomainNotInAccount', 'a move to DNSPod', { Type: 'dnsPodAccess' }, named],
    ['OperationDenied', 'a move to edge inference', { Type: 'ai' }, named],
    [
      'OperationDenied.PlanNotSupportModifyZoneArea',
      'an area that the plan does not cover',
      { Area: 'mainland' },
      { ...named, planId: 'edgeone-overseas' },
    ],
    ['ResourceInUse.Cname', 'a name that is taken', { Type: 'partial', ZoneName: 'mine.com' }],
    ['ResourceInUse.NS', 'a name with NS access', { Type: 'partial', ZoneName: 'minens.com' }],
    ['ResourceInUse.OthersCname', "another account's name", { Type: 'partial', ZoneName: 'others.com' }],
    ['ResourceInUse.OthersNS', "another account's NS zone", { Type: 'partial', ZoneName: 'othersns.com' }],
    [
      'InvalidParameterValue.ZoneSameAsName',
      'name and alias that are taken',
      { Type: 'partial', ZoneName: 'mine.com', AliasZoneName: 'a' },
    ],
  ];
  for (const [code, name, request, zone = {}] of cases) {
    await t.test(`${name}: ${code}`, async () => {
      await using world = await actionWorld({ zone });
      await world.write(keys.plan('edgeone-overseas'), { ...newPlan('edgeone-overseas'), area: 'overseas' });
      await world.call('CreateZone', { ZoneName: 'mine.com' });
      await world.call('CreateZone', { ZoneName: 'mine.com', AliasZoneName: 'a' });
      await world.call('CreateZone', { ZoneName: 'minens.com', Type: 'full' });
      await world.call('CreateZone', { ZoneName: 'others.com' }, STRANGER);
      await world.call('CreateZone', { ZoneName: 'othersns.com', Type: 'full' }, STRANGER);
      const before = await world.revision();
      assert.equal(await world.refusedWith('ModifyZone', { ZoneId: ZONE, ...request }), code);
      assert.equal(await world.revision(), before);
    });
  }
});
