import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, newPlan, ROOT, STRANGER } from '../../../../test/world/actions.ts';

const PLAN = 'edgeone-000000000001';
const NAMED = { ZoneName: 'example.com', PlanId: PLAN } as const;

async function zoneNow(world: ActionWorld, id: string) {
  const { Zones } = await world.call('DescribeZones', { Filters: [{ Name: 'zone-id', Values: [id] }] });
  return Zones[0] ?? assert.fail(`zone ${id} is not listed`);
}

test('a zone of CNAME access is pending at once and works: what Terraform waits for', async () => {
  await using world = await actionWorld();
  const { ZoneId, OwnershipVerification } = await world.call('CreateZone', {
    ...NAMED,
    Type: 'partial',
    Area: 'global',
    AliasZoneName: '',
    AllowDuplicates: false,
    JumpStart: true,
    Tags: [
      { TagKey: 'team', TagValue: 'games' },
      { TagKey: 'env', TagValue: '' },
    ],
  });
  assert.match(ZoneId, /^zone-[0-9a-z]{12}$/);
  assert.equal(OwnershipVerification?.DnsVerification?.RecordType, 'TXT');
  const zone = await zoneNow(world, ZoneId);
  assert.deepEqual(
    [zone.Status, zone.CnameStatus, zone.ActiveStatus, zone.Paused, zone.Type, zone.Area, zone.LockStatus],
    ['pending', 'finished', 'inactive', false, 'partial', 'global', 'enable'],
  );
  assert.deepEqual(zone.CNAMEDetail, { IsFake: 0, OwnershipVerification });
  assert.deepEqual([zone.NSDetail, zone.DNSPodDetail, zone.NameServers], [null, null, []]);
  assert.deepEqual(zone.Tags, [
    { TagKey: 'env', TagValue: '' },
    { TagKey: 'team', TagValue: 'games' },
  ]);
  assert.deepEqual([zone.Resources[0]?.PlanId, zone.Resources[0]?.ZoneNumber], [PLAN, 2]);
});

test('a zone without a domain has nothing to prove, and L4 proxies can be made in it at once', async () => {
  await using world = await actionWorld();
  const made = await world.call('CreateZone', {
    Type: 'noDomainAccess',
    ZoneName: '',
    Area: '',
    PlanId: PLAN,
  } as never);
  assert.equal(made.OwnershipVerification, null);
  const zone = await zoneNow(world, made.ZoneId);
  assert.deepEqual([zone.Status, zone.ActiveStatus, zone.Area, zone.ZoneName], ['pending', 'inactive', '', '']);
  await world.call('CreateL4Proxy', { ZoneId: made.ZoneId, ProxyName: 'p', Area: 'overseas' });
});

test('a zone with NS access shows what its owner has to do: nothing that helps here', async () => {
  await using world = await actionWorld();
  const { ZoneId } = await world.call('CreateZone', { ...NAMED, Type: 'full' });
  const zone = await zoneNow(world, ZoneId);
  assert.deepEqual([zone.Status, zone.CnameStatus, zone.ActiveStatus], ['pending', 'pending', 'inactive']);
  assert.deepEqual(zone.NSDetail?.OwnershipVerification?.NsVerification, { NameServers: [] });
  assert.equal(zone.CNAMEDetail, null);
});

test('without a plan a zone is initializing and runs nothing', async () => {
  await using world = await actionWorld();
  const { ZoneId } = await world.call('CreateZone', { ZoneName: 'example.com' });
  const zone = await zoneNow(world, ZoneId);
  assert.deepEqual([zone.Status, zone.ActiveStatus, zone.Area], ['initializing', 'inactive', 'overseas']);
  assert.deepEqual(zone.Resources, []);
  const create = { ZoneId, ProxyName: 'p', Area: 'overseas' } as const;
  assert.equal(await world.refusedWith('CreateL4Proxy', create), 'OperationDenied');
});

test('zones of one name are told apart by their alias', async () => {
  await using world = await actionWorld();
  await world.call('CreateZone', NAMED);
  await world.call('CreateZone', { ...NAMED, AliasZoneName: 'a' });
  await world.call('CreateZone', { ...NAMED, AliasZoneName: 'b', Type: 'full' });
  const again: [code: string, request: object][] = [
    ['ResourceInUse.Cname', NAMED],
    ['ResourceInUse.Cname', { ...NAMED, ZoneName: 'EXAMPLE.com' }],
    ['InvalidParameterValue.ZoneSameAsName', { ...NAMED, AliasZoneName: 'a' }],
    ['ResourceInUse.NS', { ...NAMED, AliasZoneName: 'c', Type: 'full' }],
  ];
  for (const [code, request] of again) assert.equal(await world.refusedWith('CreateZone', request), code);
});

test('of many who create the same zone at once one gets it', async () => {
  await using world = await actionWorld();
  const calls = Array.from({ length: 8 }, () => world.call('CreateZone', NAMED).catch((error: Error) => error));
  const outcomes = await Promise.all(calls);
  assert.equal(outcomes.filter((outcome) => !(outcome instanceof Error)).length, 1);
});

test('of many who reach for the last place of a plan at once one gets it', async () => {
  await using world = await actionWorld();
  const { PlanId } = await world.call('CreatePlan', { PlanType: 'basic' });
  const calls = Array.from({ length: 8 }, () =>
    world.call('CreateZone', { Type: 'noDomainAccess', PlanId }).catch((error: Error) => error),
  );
  const outcomes = await Promise.all(calls);
  assert.equal(outcomes.filter((outcome) => !(outcome instanceof Error)).length, 1);
});

test('every refusal has its cause', async (t) => {
  const cases: [code: string, name: string, request: object][] = [
    ['InvalidParameterValue', 'an unknown type', { ...NAMED, Type: 'pages' }],
    ['InvalidParameterValue', 'an unknown area', { ...NAMED, Area: 'moon' }],
    ['InvalidParameterValue', 'a name where there is none', { ...NAMED, Type: 'noDomainAccess' }],
    ['InvalidParameterValue', 'an alias of other characters', { ...NAMED, AliasZoneName: 'a b' }],
    ['InvalidParameter.LengthExceedsLimit', 'a long alias', { ...NAMED, AliasZoneName: 'a'.repeat(201) }],
    ['InvalidParameterValue.ZoneNameInvalid', 'no name', { PlanId: PLAN }],
    ['InvalidParameterValue.ZoneNameNotSupportPunyCode', 'Punycode', { ZoneName: 'xn--fiq228c.com' }],
    ['InvalidParameterValue.TopLevelDomainNotSupport', 'a top-level domain', { ZoneName: 'com' }],
    ['InvalidParameterValue.ZoneNameNotSupportSubDomain', 'a subdomain', { ZoneName: 'www.example.com' }],
    ['ResourceNotFound.DNSPodDomainNotInAccount', 'a zone hosted by DNSPod', { ...NAMED, Type: 'dnsPodAccess' }],
    ['OperationDenied', 'a zone for edge inference', { ...NAMED, Type: 'ai' }],
    ['InvalidParameter.PlanNotFound', 'an unknown plan', { ...NAMED, PlanId: 'edgeone-none' }],
    ['InvalidParameter.PlanNotFound', "a stranger's plan", { ...NAMED, PlanId: 'edgeone-strange' }],
    ['OperationDenied', 'an isolated plan', { ...NAMED, PlanId: 'edgeone-isolated' }],
    ['OperationDenied', 'a plan for elsewhere', { ...NAMED, PlanId: 'edgeone-mainland', Area: 'overseas' }],
    ['LimitExceeded.ZoneBindPlan', 'a plan that is full', { ...NAMED, PlanId: 'edgeone-full' }],
    ['InvalidParameterValue.InvalidTagValue', 'a tag without key', { ...NAMED, Tags: [{ TagKey: '', TagValue: 'x' }] }],
    [
      'InvalidParameterValue.InvalidTagValue',
      'a long tag',
      { ...NAMED, Tags: [{ TagKey: 'a', TagValue: 'x'.repeat(256) }] },
    ],
    [
      'InvalidParameterValue.InvalidTagValue',
      'a tag given twice',
      {
        ...NAMED,
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'a', TagValue: '2' },
        ],
      },
    ],
    ['ResourceInUse.OthersCname', "another account's name", { ZoneName: 'others.com' }],
    ['ResourceInUse.OthersNS', "another account's NS zone", { ZoneName: 'othersns.com' }],
  ];
  await using world = await actionWorld();
  await world.write(keys.plan('edgeone-strange'), { ...newPlan('edgeone-strange'), account: STRANGER.account });
  await world.write(keys.plan('edgeone-isolated'), { ...newPlan('edgeone-isolated'), status: 'isolated' });
  await world.write(keys.plan('edgeone-mainland'), { ...newPlan('edgeone-mainland'), area: 'mainland' });
  await world.write(keys.plan('edgeone-full'), { ...newPlan('edgeone-full'), type: 'plan-standard' });
  await world.call('CreateZone', { Type: 'noDomainAccess', PlanId: 'edgeone-full' }, ROOT);
  await world.call('CreateZone', { ZoneName: 'others.com' }, STRANGER);
  await world.call('CreateZone', { ZoneName: 'othersns.com', Type: 'full' }, STRANGER);
  const before = await world.revision();
  for (const [code, name, request] of cases) {
    await t.test(`${name}: ${code}`, async () => {
      assert.equal(await world.refusedWith('CreateZone', request), code);
      assert.equal(await world.revision(), before);
    });
  }
});
