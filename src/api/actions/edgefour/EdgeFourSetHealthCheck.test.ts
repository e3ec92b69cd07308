import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_RULE_TEXT } from '../../../domain/l4-rule/batch.ts';
import { keys } from '../../../store/records.ts';
import { type ActionWorld, actionWorld, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { alter, type Prepared, prepare, refusals } from '../../../../test/world/refusals.ts';

const PING = { Type: 'TCP', Port: 6379, Interval: 10, Send: 'PING\r\n', Expect: '+PONG', Proxy: 'PPV2' } as const;
const STORED = { type: 'TCP', port: 6379, interval: 10, send: 'PING\r\n', expect: '+PONG', proxy: 'PPV2' };

/** One group, its balancer, and an instance with rules on hosts, on the group and on the balancer. */
async function groups(world: ActionWorld): Promise<Prepared> {
  const ids = await prepare(world);
  await putGroup(world, 'og-1', ['10.0.0.1']);
  await putBalancer(world, 'lb-1', 'og-1');
  await putRule(world, ids.ProxyId, 'LB', 'lb-1');
  return ids;
}

test('a check of rules is theirs alone: it stamps them, is shown as it was set, and is taken away again', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await groups(world);
  const other = (await world.read(keys.proxy(ZONE, 'prepared')))?.rules[1] ?? assert.fail();
  const set = (more: object) =>
    world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], ...more });
  await set({ Checker: PING });
  const rules = async () => (await world.read(keys.proxy(ZONE, 'prepared')))?.rules ?? [];
  assert.deepEqual((await rules())[0]?.checker, STORED);
  assert.equal((await rules())[0]?.changed, await world.revision());
  assert.deepEqual((await rules())[1], other);
  const shown = async () =>
    (await world.call('EdgeFourDescribeStatus', { ProxyId })).Instances[0]?.Rules.map(({ Checker }) => Checker);
  assert.deepEqual(await shown(), [PING, undefined]);
  const before = await world.revision();
  await set({ Checker: { ...PING, Timeout: 0, Path: '', Headers: [] } });
  assert.equal(await world.revision(), before);
  await set({ Checker: { Type: 'NoCheck' } });
  assert.deepEqual(await shown(), [{ Type: 'NoCheck' }, undefined]);
  await set({});
  assert.deepEqual(await shown(), [undefined, undefined]);
  // Nothing of it in the cloud's own structures.
  const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
  assert.ok(L4ProxyRules.every((rule) => !('Checker' in rule)));
});

test("a rule keeps its check when the cloud's own actions change it", async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Checker: PING });
  const change = { RuleId, OriginValue: ['10.0.0.9'] };
  await world.call('ModifyL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [change] });
  assert.deepEqual((await world.read(keys.proxy(ZONE, 'prepared')))?.rules[0]?.checker, STORED);
});

test('of a group and of a balancer: rules on them are in progress until the edges have it, the instance is not written', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await groups(world);
  const before = await world.read(keys.proxy(ZONE, 'prepared'));
  const status = async () =>
    (await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId })).L4ProxyRules.map(({ Status }) => Status);
  for (const owner of [{ OriginGroupId: 'og-1' }, { LoadBalancerId: 'lb-1' }]) {
    world.edges.applied = await world.revision();
    await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, ...owner, Checker: PING });
    assert.deepEqual(await status(), ['online', 'progress']);
  }
  assert.deepEqual(await world.read(keys.proxy(ZONE, 'prepared')), before);
  assert.deepEqual((await world.read(keys.originGroup(ZONE, 'og-1')))?.checker, STORED);
  const { LoadBalancerList } = await world.call('DescribeLoadBalancerList', { ZoneId: ZONE });
  assert.equal(LoadBalancerList[0]?.Status, 'Pending');
  world.edges.applied = await world.revision();
  assert.deepEqual(await status(), ['online', 'online']);
  const revision = await world.revision();
  await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, OriginGroupId: 'og-1', Checker: PING });
  assert.equal(await world.revision(), revision);
});

test('a balancer shows its check as the cloud knows it; all of it is in the list of checks, page by page', async () => {
  await using world = await actionWorld({ defaults: 'as-sent' });
  await groups(world);
  await putGroup(world, 'og-2', ['10.0.0.2']);
  for (const owner of [{ OriginGroupId: 'og-1' }, { LoadBalancerId: 'lb-1' }])
    await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, ...owner, Checker: PING });
  const { LoadBalancerList } = await world.call('DescribeLoadBalancerList', { ZoneId: ZONE });
  assert.deepEqual(LoadBalancerList[0]?.HealthChecker, { Type: 'TCP', Port: 6379, Interval: 10 });
  const list = (page: object) => world.call('EdgeFourDescribeHealthChecks', { ZoneId: ZONE, ...page });
  const all = [
    { LoadBalancerId: 'lb-1', Checker: PING },
    { OriginGroupId: 'og-1', Checker: PING },
  ];
  assert.deepEqual(await list({}), { TotalCount: 2, HealthChecks: all });
  assert.deepEqual(await list({ Offset: 1, Limit: 1 }), { TotalCount: 2, HealthChecks: all.slice(1) });
  // What the cloud's action sends is the whole check.
  const HealthChecker = { Type: 'TCP' as const, Port: 80 };
  await world.call('ModifyLoadBalancer', { ZoneId: ZONE, InstanceId: 'lb-1', HealthChecker });
  await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, OriginGroupId: 'og-1' });
  assert.deepEqual((await list({})).HealthChecks, [{ LoadBalancerId: 'lb-1', Checker: HealthChecker }]);
});

test('a check every second is a beta', async () => {
  await using world = await actionWorld({ features: ['fast-checks'] });
  await groups(world);
  const Checker = { ...PING, Interval: 1, Timeout: 1 };
  await world.call('EdgeFourSetHealthCheck', { ZoneId: ZONE, OriginGroupId: 'og-1', Checker });
});

const GROUP = { ProxyId: undefined, RuleIds: undefined, OriginGroupId: 'og-1' };
const BALANCER = { ProxyId: undefined, RuleIds: undefined, LoadBalancerId: 'lb-1' };
const deploying = async (world: ActionWorld) => {
  await alter(world, { changed: 0 });
  world.edges.applied = (await world.revision()) - 1;
};

refusals(
  'EdgeFourSetHealthCheck',
  ({ ProxyId, RuleId }) => ({ ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Checker: { ...PING } }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    { code: 'ResourceNotFound', because: 'an unknown rule', request: { RuleIds: ['rule-000000000000'] } },
    { code: 'ResourceNotFound', because: 'an unknown group', request: GROUP },
    { code: 'ResourceNotFound', because: 'an unknown balancer', request: BALANCER },
    { code: 'InvalidParameter.ParameterError', because: 'rules and a group', request: { OriginGroupId: 'og-1' } },
    { code: 'InvalidParameter.ParameterError', because: 'rules of no instance', request: { ProxyId: undefined } },
    { code: 'InvalidParameter.ParameterError', because: 'an instance without rules', request: { RuleIds: undefined } },
    {
      code: 'InvalidParameter.ParameterError',
      because: 'nothing',
      request: { ProxyId: undefined, RuleIds: undefined },
    },
    ...[
      { ...PING, Port: undefined },
      { ...PING, Interval: 9 },
      { ...PING, Send: '\0' },
      { ...PING, Type: 'UDP' },
    ].map((Checker) => ({
      code: 'InvalidParameterValue' as const,
      because: JSON.stringify(Checker),
      request: { Checker },
    })),
    {
      code: 'LimitExceeded.ProxyRulesLimitExceeded',
      because: 'a record that would be too long',
      given: async (world) => {
        const rule = (await world.read(keys.proxy(ZONE, 'prepared')))?.rules[0] ?? assert.fail();
        const tag = 'x'.repeat(MOST_RULE_TEXT - JSON.stringify([rule]).length - 20);
        await alter(world, { rules: [{ ...rule, tag }] });
      },
    },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'OperationDenied.L4ProxyInBannedStatus',
      because: 'a banned instance',
      given: (world, { ProxyId }) => world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId }),
    },
    {
      code: 'OperationDenied.LoadBalanceStatusNotInOnline',
      because: 'the balancer of the group is pending, whatever its instance is',
      request: GROUP,
      given: async (world, { ProxyId }) => {
        await putGroup(world, 'og-1', ['10.0.0.1']);
        await putBalancer(world, 'lb-1', 'og-1');
        await putRule(world, ProxyId, 'LB', 'lb-1');
        world.edges.applied = 0;
      },
    },
    {
      code: 'OperationDenied.L4StatusNotInOnline',
      because: 'an instance on the group is being deployed',
      request: GROUP,
      given: async (world, { ProxyId }) => {
        await putGroup(world, 'og-1', ['10.0.0.1']);
        await putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1');
        await deploying(world);
      },
    },
    {
      code: 'InvalidParameter.LoadBalancerBindL4NotInStableStatus',
      because: 'an instance on the balancer is being deployed',
      request: BALANCER,
      given: async (world, { ProxyId }) => {
        await putGroup(world, 'og-1', ['10.0.0.1']);
        await putBalancer(world, 'lb-1', 'og-1');
        await putRule(world, ProxyId, 'LB', 'lb-1');
        await deploying(world);
      },
    },
  ],
  [],
);

refusals(
  'EdgeFourDescribeHealthChecks',
  () => ({ ZoneId: ZONE }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: "another account's zone", caller: STRANGER },
  ],
  [],
  false,
);
