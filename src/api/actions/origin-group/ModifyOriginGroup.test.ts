import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { alter, type Prepared, prepare, refusals } from '../../../../test/world/refusals.ts';

const GROUP = { ZoneId: ZONE, GroupId: 'og-1' };

test('records are replaced; ids stay with what names them, and with hosts that stay', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1', '10.0.0.2']);
  const Records = [
    { Record: '10.0.0.3', RecordId: 'record-10.0.0.1' },
    { Record: '10.0.0.2', RecordId: '' },
    { Record: '10.0.0.4', RecordId: 'record-of-another-group' },
  ];
  await world.call('ModifyOriginGroup', { ...GROUP, Records });
  const [one, two, three] = (await world.read(keys.originGroup(ZONE, 'og-1')))?.records ?? [];
  assert.deepEqual([one?.id, two?.id], ['record-10.0.0.1', 'record-10.0.0.2']);
  assert.match(three?.id ?? '', /^record-[0-9a-f-]{36}$/);
});

test('a name moves with its group, and what changes nothing writes nothing', async () => {
  await using world = await actionWorld();
  const made = { ZoneId: ZONE, Name: 'a', Type: 'GENERAL' as const, Records: [{ Record: '10.0.0.1', Weight: 0 }] };
  const { OriginGroupId: GroupId } = await world.call('CreateOriginGroup', made);
  await world.call('ModifyOriginGroup', { ZoneId: ZONE, GroupId, Name: 'b' });
  assert.deepEqual(await world.keysUnder('origin-group-name/'), [`origin-group-name/${ZONE}/b`]);
  const before = await world.revision();
  const { changed } = (await world.read(keys.originGroup(ZONE, GroupId))) ?? assert.fail();
  assert.ok(changed < before, 'edges have nothing to apply when a name changes');
  await world.call('ModifyOriginGroup', { ...made, GroupId, Name: 'b' });
  await world.call('ModifyOriginGroup', { ZoneId: ZONE, GroupId, Name: '' });
  assert.equal(await world.revision(), before);
});

test('rules on the group are in progress until the edges have it; the instance and its record stay as they are', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  await putGroup(world, 'og-1', ['10.0.0.1']);
  const onGroup = await putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1');
  const before = await world.read(keys.proxy(ZONE, 'prepared'));
  world.edges.applied = await world.revision();
  await world.call('ModifyOriginGroup', { ...GROUP, Records: [{ Record: '10.0.0.2' }] });
  const statuses = async () => {
    const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
    return Object.fromEntries(L4ProxyRules.map((rule) => [rule.RuleId, rule.Status]));
  };
  assert.deepEqual(await statuses(), { [RuleId]: 'online', [onGroup]: 'progress' });
  assert.deepEqual(await world.read(keys.proxy(ZONE, 'prepared')), before);
  // A second change meanwhile is no trouble: the instance itself is online.
  await world.call('ModifyOriginGroup', { ...GROUP, Records: [{ Record: '10.0.0.3' }] });
  world.edges.applied = await world.revision();
  assert.deepEqual(await statuses(), { [RuleId]: 'online', [onGroup]: 'online' });
});

test('of a rule that takes a group and a change that rules cannot use, one goes through', async () => {
  for (let round = 0; round < 8; round++) {
    await using world = await actionWorld();
    const { ProxyId } = await prepare(world);
    await putGroup(world, 'og-1', ['10.0.0.1']);
    const mixed = { ...GROUP, Records: [{ Record: '10.0.0.1' }, { Record: 'a.test' }] };
    const calls = [() => putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1'), () => world.call('ModifyOriginGroup', mixed)];
    const outcomes = await Promise.allSettled((round % 2 ? calls : calls.toReversed()).map((call) => call()));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  }
});

const records = (...hosts: string[]) => ({ Records: hosts.map((Record) => ({ Record })) });
const grouped =
  (more?: (world: ActionWorld, ids: Prepared) => unknown) => async (world: ActionWorld, ids: Prepared) => {
    await putGroup(world, 'og-1', ['10.0.0.1']);
    await more?.(world, ids);
  };
const used = grouped((world, { ProxyId }) => putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1'));
const balanced = grouped(async (world, { ProxyId }) => {
  await putBalancer(world, 'lb-1', 'og-1');
  await putRule(world, ProxyId, 'LB', 'lb-1');
});

refusals(
  'ModifyOriginGroup',
  () => ({ ...GROUP, ...records('10.0.0.2') }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: 'an unknown group' },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: grouped((world) => world.pauseZone(true)),
    },
    {
      code: 'InvalidParameter.OriginL4RecordIPV4MixDomain',
      because: 'addresses and a name for a rule',
      request: records('10.0.0.1', 'a.test'),
      given: used,
    },
    {
      code: 'InvalidParameter.OriginL4RecordIPV4MixDomain',
      because: 'addresses and a name for a rule behind a balancer',
      request: records('10.0.0.1', 'a.test'),
      given: balanced,
    },
    {
      code: 'InvalidParameter.OriginL4RecordMultiDomain',
      because: 'two names for a rule',
      request: records('a.test', 'b.test'),
      given: used,
    },
    {
      code: 'InvalidParameter.InvalidOriginGroupType',
      because: 'HTTP under a rule',
      request: { Type: 'HTTP' },
      given: used,
    },
    {
      code: 'InvalidParameter.InvalidOriginGroupType',
      because: 'HTTP under a GENERAL balancer',
      request: { Type: 'HTTP' },
      given: grouped((world) => putBalancer(world, 'lb-1', 'og-1')),
    },
    {
      code: 'OperationDenied.L4StatusNotInOnline',
      because: 'the instance is being deployed',
      given: async (world, ids) => {
        await used(world, ids);
        await alter(world, { changed: 0 });
        world.edges.applied = (await world.revision()) - 1;
      },
    },
    {
      code: 'OperationDenied.L4StatusNotInOnline',
      because: 'the instance is off',
      given: async (world, ids) => {
        await used(world, ids);
        await alter(world, { want: 'offline' });
      },
    },
    {
      code: 'OperationDenied.LoadBalanceStatusNotInOnline',
      because: 'the balancer is pending, whatever its instance is',
      given: async (world, ids) => {
        await balanced(world, ids);
        world.edges.applied = 0;
      },
    },
    {
      code: 'InvalidParameter.OriginNameExists',
      because: 'the name is taken',
      request: { Name: 'web' },
      given: grouped((world) =>
        world.call('CreateOriginGroup', { ZoneId: ZONE, Name: 'web', Type: 'GENERAL', ...records('10.0.0.1') }),
      ),
    },
    {
      code: 'InvalidParameter.InvalidOriginIp',
      because: 'an address that policy refuses',
      request: records('fe80::1'),
      given: grouped(),
    },
    { code: 'InvalidParameter.OriginRecordFormatError', because: 'no host', request: records('a b'), given: grouped() },
    {
      code: 'InvalidParameter.OriginRecordWeightValue',
      because: 'weight 101',
      request: { Records: [{ Record: '10.0.0.1', Weight: 101 }] },
      given: grouped(),
    },
    {
      code: 'InvalidParameter.HostHeaderInvalid',
      because: 'a host header with a path',
      request: { HostHeader: 'a.test/x' },
      given: grouped(),
    },
    {
      code: 'InvalidParameter.OriginThirdPartyParamFormatError',
      because: 'no credentials',
      request: { Type: 'HTTP', Records: [{ Record: 'b.test', Type: 'COS', Private: true }] },
      given: grouped(),
    },
    {
      code: 'InvalidParameter.InvalidAwsRegion',
      because: 'a region with a blank',
      request: {
        Type: 'HTTP',
        Records: [
          {
            Record: 'b.test',
            Type: 'AWS_S3',
            Private: true,
            PrivateParameters: [
              { Name: 'AccessKeyId', Value: 'a' },
              { Name: 'SecretAccessKey', Value: 's' },
              { Name: 'SignatureVersion', Value: 'v2' },
              { Name: 'Region', Value: 'us east' },
            ],
          },
        ],
      },
      given: grouped(),
    },
  ],
  [
    'FailedOperation',
    'OperationDenied',
    'OperationDenied.AccelerationDomainStatusNotInOnline',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.Unknown',
  ],
);
