import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, ROOT, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putGroup, putRule } from '../../../../test/world/groups.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

const TERRAFORM = { ...ROOT, client: 'Terraform-latest' };
const BALANCER = {
  ZoneId: ZONE,
  Name: 'web',
  Type: 'GENERAL' as const,
  OriginGroups: [{ Priority: 'priority_1' as const, OriginGroupId: 'og-1' }],
};

test('a balancer is shown with its defaults, and to Terraform as it was written', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1'], { name: 'first' });
  await putGroup(world, 'og-2', ['10.0.0.2']);
  const OriginGroups = [
    { Priority: 'priority_10' as const, OriginGroupId: 'og-1' },
    { Priority: 'priority_2' as const, OriginGroupId: 'og-2' },
  ];
  const HealthChecker = { Type: 'HTTP' as const, Port: 80, Path: 'a.test/live', ExpectedCodes: ['200'] };
  const { InstanceId } = await world.call('CreateLoadBalancer', { ...BALANCER, OriginGroups, HealthChecker });
  assert.match(InstanceId, /^lb-[0-9a-z]{12}$/);
  const shown = async (who = ROOT) =>
    (await world.call('DescribeLoadBalancerList', { ZoneId: ZONE }, who)).LoadBalancerList[0];
  const common = {
    InstanceId,
    Name: 'web',
    Type: 'GENERAL',
    OriginGroupHealthStatus: [
      {
        OriginGroupID: 'og-1',
        OriginGroupName: 'first',
        OriginType: 'GENERAL',
        Priority: 'priority_10',
        OriginHealthStatus: [{ Origin: '10.0.0.1', Healthy: 'Undetected' }],
      },
      {
        OriginGroupID: 'og-2',
        OriginGroupName: '',
        OriginType: 'GENERAL',
        Priority: 'priority_2',
        OriginHealthStatus: [{ Origin: '10.0.0.2', Healthy: 'Undetected' }],
      },
    ],
    Status: 'Running',
    L4UsedList: [],
    L7UsedList: [],
    References: [],
  };
  assert.deepEqual(await shown(TERRAFORM), { ...common, HealthChecker });
  const times = { Interval: 30, Timeout: 5, HealthThreshold: 3, CriticalThreshold: 2 };
  const http = { Method: 'GET', FollowRedirect: 'false', Headers: [], SendContext: '', RecvContext: '' };
  const policies = { SteeringPolicy: 'Pritory', FailoverPolicy: 'OtherRecordInOriginGroup' };
  assert.deepEqual(await shown(), { ...common, ...policies, HealthChecker: { ...HealthChecker, ...times, ...http } });
});

test('without a check all is zero but the type; Terraform, which wrote none, is shown none', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1']);
  await world.call('CreateLoadBalancer', BALANCER);
  const checker = async (who = ROOT) =>
    (await world.call('DescribeLoadBalancerList', { ZoneId: ZONE }, who)).LoadBalancerList[0]?.HealthChecker;
  const { Type, ...rest } = (await checker()) ?? assert.fail();
  assert.equal(Type, 'NoCheck');
  assert.ok(Object.values(rest).every((value) => value === 0 || value === '' || (value as []).length === 0));
  assert.equal(await checker(TERRAFORM), undefined);
});

test('it is Pending until the edges know it; a rule can be put on it, and is listed', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  await putGroup(world, 'og-1', ['10.0.0.1']);
  world.edges.applied = await world.revision();
  const { InstanceId } = await world.call('CreateLoadBalancer', BALANCER);
  const shown = async () => (await world.call('DescribeLoadBalancerList', { ZoneId: ZONE })).LoadBalancerList[0];
  assert.equal((await shown())?.Status, 'Pending');
  world.edges.applied = await world.revision();
  assert.equal((await shown())?.Status, 'Running');
  await putRule(world, ProxyId, 'LB', InstanceId);
  const { L4UsedList, References } = (await shown()) ?? assert.fail();
  assert.deepEqual(L4UsedList, [ProxyId]);
  assert.deepEqual(
    References.map((one) => [one.InstanceType, one.InstanceName]),
    [['application-proxy', 'prepared']],
  );
});

test('of two balancers that reach for one name, and of a balancer and a call that deletes its group, one goes through', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1']);
  const statuses = async (...calls: Promise<unknown>[]) =>
    (await Promise.allSettled(calls)).map(({ status }) => status).sort();
  const create = (Name: string) => world.call('CreateLoadBalancer', { ...BALANCER, Name });
  assert.deepEqual(await statuses(create('web'), create('web')), ['fulfilled', 'rejected']);
  for (let round = 0; round < 8; round++) {
    await putGroup(world, 'og-2', ['10.0.0.2']);
    const OriginGroups = [{ Priority: 'priority_1' as const, OriginGroupId: 'og-2' }];
    const make = () => world.call('CreateLoadBalancer', { ...BALANCER, Name: `b${round}`, OriginGroups });
    const drop = () => world.call('DeleteOriginGroup', { ZoneId: ZONE, GroupId: 'og-2' });
    const [a, b] = round % 2 ? [make, drop] : [drop, make];
    assert.deepEqual(await statuses(a(), b()), ['fulfilled', 'rejected']);
    for (const { value } of await world.store.read((view) => view.list('uses/og-2/'))) {
      const InstanceId = (value as { id: string }).id;
      await world.call('DeleteLoadBalancer', { ZoneId: ZONE, InstanceId });
    }
  }
});

const grouped = (world: Parameters<typeof putGroup>[0]) => putGroup(world, 'og-1', ['10.0.0.1']);
const checker = (change: object) => ({ HealthChecker: { Type: 'TCP', Port: 80, ...change } });

refusals(
  'CreateLoadBalancer',
  () => BALANCER,
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: (world) => world.pauseZone(true),
    },
    { code: 'InvalidParameter.SomeOriginGroupNotExist', because: 'an unknown group' },
    {
      code: 'InvalidParameter.OriginGroupTypeCanNotMatchLBType',
      because: 'an HTTP group',
      given: (world) => putGroup(world, 'og-1', ['10.0.0.1'], { type: 'HTTP' }),
    },
    {
      code: 'InvalidParameter.LoadBalancerBindOriginGroupInvalid',
      because: 'one priority twice',
      request: { OriginGroups: [...BALANCER.OriginGroups, ...BALANCER.OriginGroups] },
      given: grouped,
    },
    {
      code: 'InvalidParameter.LoadBalancerBindOriginGroupInvalid',
      because: 'no groups',
      request: { OriginGroups: [] },
    },
    {
      code: 'InvalidParameter.LoadBalancerNameRepeated',
      because: 'the name is taken',
      async given(world) {
        await grouped(world);
        await world.call('CreateLoadBalancer', BALANCER);
      },
    },
    ...[{ Port: 0 }, { Interval: 9 }, { Interval: 10, Timeout: 10 }, { Type: 'HTTP', Path: 'http://a' }].map(
      (change) => ({
        code: 'InvalidParameterValue' as const,
        because: `the check ${JSON.stringify(change)}`,
        request: checker(change),
        given: grouped,
      }),
    ),
    { code: 'InvalidParameterValue', because: 'a name with a blank', request: { Name: 'a b' } },
    {
      code: 'InvalidParameterValue',
      because: 'priority_11',
      request: { OriginGroups: [{ Priority: 'priority_11', OriginGroupId: 'og-1' }] },
    },
    {
      code: 'LimitExceeded.LoadBalancingCountLimitExceeded',
      because: 'the 1,001st balancer',
      async given(world) {
        const balancers = Array.from({ length: 1000 }, (_, i) => ({
          key: keys.loadBalancer(ZONE, `lb-${i}`),
          value: {},
        }));
        await world.store.commit(balancers, []);
      },
    },
  ],
  [],
  false,
);
