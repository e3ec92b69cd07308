import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { newGroup } from '../../../../test/world/groups.ts';
import { refusals } from '../../../../test/world/refusals.ts';

const GROUP = { ZoneId: ZONE, Name: 'web', Type: 'GENERAL' as const, Records: [{ Record: '10.0.0.8' }] };

test('a group is shown as it was written, with record ids and the defaults of what was not', async () => {
  await using world = await actionWorld();
  const Records = [
    { Record: '10.0.0.8', Weight: 75 },
    { Record: '2001:DB8::8', Type: 'IP_DOMAIN' as const, Weight: 0 },
    { Record: 'Example.COM.' },
  ];
  const { OriginGroupId } = await world.call('CreateOriginGroup', { ...GROUP, Records });
  assert.match(OriginGroupId, /^og-[0-9a-z]{12}$/);
  const { TotalCount, OriginGroups } = await world.call('DescribeOriginGroup', { ZoneId: ZONE });
  const [shown] = OriginGroups;
  assert.equal(TotalCount, 1);
  const common = { Type: 'IP_DOMAIN', Private: false, PrivateParameters: [] };
  assert.deepEqual(
    shown?.Records.map(({ RecordId, ...record }) => [/^record-[0-9a-f-]{36}$/.test(RecordId), record]),
    [
      [true, { Record: '10.0.0.8', Weight: 75, ...common }],
      [true, { Record: '2001:DB8::8', Weight: 0, ...common }],
      [true, { Record: 'Example.COM.', Weight: null, ...common }],
    ],
  );
  const { Records: _, CreateTime, UpdateTime, ...rest } = shown ?? assert.fail();
  assert.equal(CreateTime, UpdateTime);
  assert.deepEqual(rest, { GroupId: OriginGroupId, Name: 'web', Type: 'GENERAL', References: [], HostHeader: '' });
});

test('credentials of object storage are shown, and are in no record that an edge follows', async () => {
  await using world = await actionWorld();
  const PrivateParameters = [
    { Name: 'AccessKeyId' as const, Value: 'AKID' },
    { Name: 'SecretAccessKey' as const, Value: 'hush' },
    { Name: 'SignatureVersion' as const, Value: 'v4' },
    { Name: 'Region' as const, Value: 'us-east-1' },
  ];
  const bucket = { Record: 'b.s3.test', Type: 'AWS_S3' as const, Private: true, PrivateParameters };
  const made = await world.call('CreateOriginGroup', {
    ...GROUP,
    Type: 'HTTP',
    Records: [bucket],
    HostHeader: 'www.test',
  });
  const { OriginGroups } = await world.call('DescribeOriginGroup', { ZoneId: ZONE });
  assert.deepEqual(OriginGroups[0]?.Records[0]?.PrivateParameters, PrivateParameters);
  assert.equal(OriginGroups[0]?.HostHeader, 'www.test');
  const followed = await world.read(keys.originGroup(ZONE, made.OriginGroupId));
  assert.ok(!JSON.stringify(followed).includes('hush'));
  await world.call('ModifyOriginGroup', {
    ZoneId: ZONE,
    GroupId: made.OriginGroupId,
    Records: [{ ...bucket, Private: false }],
  });
  assert.deepEqual(await world.keysUnder('origin-group-secret/'), []);
});

test('of two groups that reach for one name at once, one is made; a group without a name needs none', async () => {
  await using world = await actionWorld();
  const outcomes = await Promise.allSettled([1, 2].map(() => world.call('CreateOriginGroup', GROUP)));
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  for (const Name of ['', '']) await world.call('CreateOriginGroup', { ...GROUP, Name });
  assert.equal((await world.call('DescribeOriginGroup', { ZoneId: ZONE })).TotalCount, 3);
});

const records = (...Records: object[]) => ({ Records });
const bucket = (change: object) => {
  const PrivateParameters = [
    { Name: 'AccessKeyId', Value: 'a' },
    { Name: 'SecretAccessKey', Value: 's' },
    { Name: 'SignatureVersion', Value: 'v4' },
  ];
  return {
    Type: 'HTTP',
    ...records({ Record: 'b.test', Type: 'AWS_S3', Private: true, PrivateParameters, ...change }),
  };
};

refusals(
  'CreateOriginGroup',
  () => GROUP,
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    {
      code: 'OperationDenied.LoadBalancingZoneIsNotActive',
      because: 'a paused zone',
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'InvalidParameter.OriginNameExists',
      because: 'the name is taken',
      given: (world) => world.call('CreateOriginGroup', GROUP),
    },
    { code: 'InvalidParameter.InvalidOriginGroupType', because: 'no such type', request: { Type: 'UDP' } },
    {
      code: 'InvalidParameter.InvalidOriginGroupType',
      because: 'object storage in a GENERAL group',
      request: { ...bucket({}), Type: 'GENERAL' },
    },
    {
      code: 'InvalidParameter.InvalidOriginIp',
      because: 'an address that policy refuses',
      request: records({ Record: '10.0.0.8' }, { Record: '169.254.169.254' }),
    },
    ...['10.0.0.8:80', 'http://a.test', '', '10.1', '010.0.0.1'].map((Record) => ({
      code: 'InvalidParameter.OriginRecordFormatError' as const,
      because: `the record \`${Record}\``,
      request: records({ Record }),
    })),
    {
      code: 'InvalidParameter.OriginRecordFormatError',
      because: 'one address twice',
      request: records({ Record: '::1' }, { Record: '0::1' }),
    },
    { code: 'InvalidParameter.OriginRecordFormatError', because: 'no records', request: records() },
    {
      code: 'InvalidParameter.OriginRecordFormatError',
      because: 'storage at an address',
      request: bucket({ Record: '10.0.0.1' }),
    },
    ...[-1, 101].map((Weight) => ({
      code: 'InvalidParameter.OriginRecordWeightValue' as const,
      because: `weight ${Weight}`,
      request: records({ Record: '10.0.0.8', Weight }),
    })),
    {
      code: 'InvalidParameter.HostHeaderInvalid',
      because: 'a URL as host header',
      request: { HostHeader: 'http://a' },
    },
    {
      code: 'InvalidParameter.OriginThirdPartyParamFormatError',
      because: 'no access key',
      request: bucket({ PrivateParameters: [] }),
    },
    {
      code: 'InvalidParameter.OriginThirdPartyParamFormatError',
      because: 'an unknown parameter',
      request: bucket({ PrivateParameters: [{ Name: 'Colour', Value: 'red' }] }),
    },
    {
      code: 'InvalidParameter.InvalidAwsRegion',
      because: 'no region',
      request: bucket({}),
    },
    {
      code: 'LimitExceeded',
      because: 'the 1,001st group',
      async given(world) {
        const groups = Array.from({ length: 1000 }, (_, i) => newGroup(`og-${i}`, ['10.0.0.1']));
        await world.store.commit(
          groups.map((value) => ({ key: keys.originGroup(ZONE, value.id), value })),
          [],
        );
      },
    },
  ],
  [
    'FailedOperation',
    'InternalError.ConfigLocked',
    'OperationDenied',
    'OperationDenied.ConfigLocked',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
  ],
  false,
);
