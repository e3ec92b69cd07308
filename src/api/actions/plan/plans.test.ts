/** Plans: those that are there, those that are made, and zones bound to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ZONE_PLAN_NAMES } from '../../../domain/zone/plan.ts';
import { keys } from '../../../store/records.ts';
import { actionWorld, newPlan, STRANGER, ZONE } from '../../../../test/world/actions.ts';

const PLAN = 'edgeone-000000000001';

test('the plan from the start can take zones and run L4', async () => {
  await using world = await actionWorld({ plan: { expiresAt: Date.UTC(2099, 11, 31) } });
  const { TotalCount, Plans } = await world.call('DescribePlans', {});
  assert.equal(TotalCount, 1);
  const [plan = assert.fail()] = Plans;
  assert.deepEqual(
    [plan.PlanId, plan.PlanType, plan.Status, plan.Bindable, plan.ExpiredTime],
    [PLAN, 'plan-enterprise', 'normal', 'true', '2099-12-31T00:00:00+00:00'],
  );
  assert.deepEqual(plan.ZonesInfo, [{ ZoneId: ZONE, ZoneName: '', Paused: false }]);
  assert.ok(plan.Features.includes('L4'));
});

test('filters, pages and orders', async () => {
  await using world = await actionWorld({ plan: { enabledAt: 1, expiresAt: Date.UTC(2099, 11, 31) } });
  const { PlanId } = await world.call('CreatePlan', { PlanType: 'basic', PrepaidPlanParam: { Period: 12 } });
  await world.write(keys.plan('edgeone-strange'), { ...newPlan('edgeone-strange'), account: STRANGER.account });
  await world.write(keys.plan('edgeone-old'), { ...newPlan('edgeone-old'), enabledAt: 2, expiresAt: 3 });
  const ids = async (request: object) => (await world.call('DescribePlans', request)).Plans.map(({ PlanId }) => PlanId);
  assert.deepEqual(await ids({}), [PlanId, 'edgeone-old', PLAN]);
  assert.deepEqual(await ids({ Order: 'expire-time', Direction: 'asc' }), ['edgeone-old', PlanId, PLAN]);
  assert.deepEqual(await ids({ Offset: 1, Limit: 1 }), ['edgeone-old']);
  const filter = (Name: string, ...Values: string[]) => ids({ Filters: [{ Name, Values }] });
  assert.deepEqual(await filter('plan-type', 'plan-basic'), [PlanId]);
  assert.deepEqual(await filter('plan-id', PLAN), [PLAN]);
  assert.deepEqual(await filter('status', 'expired'), ['edgeone-old']);
  assert.deepEqual(await filter('area', 'mainland'), []);
  assert.equal(
    await world.refusedWith('DescribePlans', { Filters: [{ Name: 'size', Values: [] }] }),
    'InvalidParameterValue',
  );
});

test('CreatePlan makes a plan for one zone and a time', async () => {
  await using world = await actionWorld();
  const { PlanId, DealName } = await world.call('CreatePlan', {
    PlanType: 'standard',
    AutoUseVoucher: 'true',
    PrepaidPlanParam: { Period: 24, RenewFlag: 'off' },
  });
  assert.match(PlanId, /^edgeone-[0-9a-z]{12}$/);
  assert.equal(DealName, '');
  await world.call('CreateZone', { ZoneName: 'example.com', PlanId });
  const { Plans } = await world.call('DescribePlans', { Filters: [{ Name: 'plan-id', Values: [PlanId] }] });
  assert.deepEqual([Plans[0]?.Bindable, Plans[0]?.Features, Plans[0]?.AutoRenewal], ['false', [], false]);
  const renewing = await world.call('CreatePlan', { PlanType: 'personal', PrepaidPlanParam: { RenewFlag: 'on' } });
  assert.equal((await world.read(keys.plan(renewing.PlanId)))?.autoRenewal, true);
});

test('CreatePlan: every refusal has its cause', async () => {
  await using world = await actionWorld();
  const cases: [code: string, request: object][] = [
    ['OperationDenied.PleaseContactBusinessPersonnel', { PlanType: 'enterprise' }],
    ['InvalidParameter.InvalidPlanType', { PlanType: 'gold' }],
    ['InvalidParameter.InvalidAutoUseVoucher', { PlanType: 'basic', AutoUseVoucher: 'maybe' }],
    ['InvalidParameter.InvalidPeriod', { PlanType: 'basic', PrepaidPlanParam: { Period: 13 } }],
    ['InvalidParameter.InvalidRenewFlag', { PlanType: 'basic', PrepaidPlanParam: { RenewFlag: 'yes' } }],
  ];
  for (const [code, request] of cases) assert.equal(await world.refusedWith('CreatePlan', request as never), code);
});

test('BindZoneToPlan activates a zone', async () => {
  await using world = await actionWorld();
  const { ZoneId } = await world.call('CreateZone', { Type: 'noDomainAccess' });
  await world.call('BindZoneToPlan', { ZoneId, PlanId: PLAN });
  const { Zones } = await world.call('DescribeZones', { Filters: [{ Name: 'zone-id', Values: [ZoneId] }] });
  assert.deepEqual([Zones[0]?.Status, Zones[0]?.ActiveStatus], ['pending', 'inactive']);
  await world.call('CreateL4Proxy', { ZoneId, ProxyName: 'p', Area: 'overseas' });
});

test('BindZoneToPlan: every refusal has its cause', async () => {
  await using world = await actionWorld();
  const full = await world.call('CreatePlan', { PlanType: 'basic' });
  await world.call('CreateZone', { Type: 'noDomainAccess', PlanId: full.PlanId });
  await world.write(keys.plan('edgeone-old'), { ...newPlan('edgeone-old'), expiresAt: 3 });
  const { ZoneId } = await world.call('CreateZone', { Type: 'noDomainAccess' });
  const cases: [code: string, request: object][] = [
    ['InvalidParameter.ZoneNotFound', { ZoneId: 'zone-000000000000' }],
    ['InvalidParameter.ZoneHasBeenBound', { ZoneId: ZONE }],
    ['InvalidParameter.PlanNotFound', { PlanId: 'edgeone-none' }],
    ['OperationDenied', { PlanId: 'edgeone-old' }],
    ['LimitExceeded', { PlanId: full.PlanId }],
  ];
  for (const [code, request] of cases) {
    assert.equal(await world.refusedWith('BindZoneToPlan', { ZoneId, PlanId: PLAN, ...request }), code);
  }
});

test('CreatePlanForZone makes every kind that DescribeAvailablePlans lists', async () => {
  await using world = await actionWorld();
  const { PlanInfo } = await world.call('DescribeAvailablePlans', {});
  assert.deepEqual(
    PlanInfo.map(({ PlanType }) => PlanType),
    ZONE_PLAN_NAMES,
  );
  for (const { PlanType, Area } of PlanInfo) {
    const { ZoneId } = await world.call('CreateZone', { Type: 'noDomainAccess' });
    const { ResourceNames, DealNames } = await world.call('CreatePlanForZone', { ZoneId, PlanType });
    const plan = await world.read(keys.plan(ResourceNames[0] ?? ''));
    assert.equal(plan?.area, Area);
    assert.equal(plan?.type, PlanType.startsWith('ent') ? 'plan-enterprise' : 'plan-standard');
    assert.deepEqual(DealNames, []);
    assert.equal((await world.read(keys.zone(ZoneId)))?.planId, plan?.id);
  }
});

test('CreatePlanForZone: every refusal has its cause', async () => {
  await using world = await actionWorld();
  const type = { PlanType: 'ent' } as const;
  assert.equal(
    await world.refusedWith('CreatePlanForZone', { ...type, ZoneId: ZONE }),
    'InvalidParameter.ZoneHasBeenBound',
  );
  assert.equal(
    await world.refusedWith('CreatePlanForZone', { ...type, ZoneId: 'zone-000000000000' }),
    'ResourceNotFound',
  );
});
