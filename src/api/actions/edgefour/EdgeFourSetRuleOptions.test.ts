import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, ZONE } from '../../../../test/world/actions.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

test('options are set one by one and stamp the rule; what is not sent stays', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const set = (options: object) =>
    world.call('EdgeFourSetRuleOptions', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], ...options });
  const rule = async () => (await world.read(keys.proxy(ZONE, 'prepared')))?.rules[0];
  await set({ Drain: 'keep', IdleSeconds: 7200 });
  assert.deepEqual((await rule())?.options, { drain: { how: 'keep', seconds: 30 }, idleSeconds: 7200 });
  assert.equal((await rule())?.changed, await world.revision());
  await set({ DrainSeconds: 5, ConnectTimeoutMs: 100, Records: '100' });
  const all = { drain: { how: 'keep', seconds: 5 }, idleSeconds: 7200, connectTimeoutMs: 100, records: 100 };
  assert.deepEqual((await rule())?.options, all);
  const before = await world.revision();
  await set({ Drain: 'keep', Records: '100' });
  assert.equal(await world.revision(), before);
  await set({ Records: 'off', UdpHeader: 'each' });
  assert.deepEqual((await rule())?.options, { ...all, records: 'off', udpHeader: 'each' });
  await set({ Unhealthy: 'reset', Passive: 'off', KernelUnchecked: 'on', SlowStartSeconds: 3600 });
  const care = { unhealthy: 'reset', passive: 'off', kernelUnchecked: 'on', slowStartSeconds: 3600 };
  assert.deepEqual((await rule())?.options, { ...all, records: 'off', udpHeader: 'each', ...care });
  await set({ Passive: 'on', SlowStartSeconds: 0 });
  const shown = (await world.call('EdgeFourDescribeStatus', { ProxyId })).Instances[0]?.Rules[0]?.Options;
  assert.deepEqual(shown, {
    Drain: 'keep',
    DrainSeconds: 5,
    ConnectTimeoutMs: 100,
    IdleSeconds: 7200,
    UdpHeader: 'each',
    Records: 'off',
    Unhealthy: 'reset',
    Passive: 'on',
    KernelUnchecked: 'on',
    SlowStartSeconds: 0,
  });
});

test('values outside their range are refused', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const bad = [
    { Drain: 'slow' },
    { DrainSeconds: 86_401 },
    { ConnectTimeoutMs: 99 },
    { IdleSeconds: 0 },
    { Records: '0' },
    { Records: 'some' },
    { UdpHeader: 'all' },
    { Unhealthy: 'slow' },
    { Passive: 'true' },
    { KernelUnchecked: '' },
    { SlowStartSeconds: 3_601 },
    { RuleIds: [] },
  ];
  for (const options of bad) {
    const request = { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], ...options } as never;
    assert.equal(await world.refusedWith('EdgeFourSetRuleOptions', request), 'InvalidParameterValue');
  }
});

refusals(
  'EdgeFourSetRuleOptions',
  ({ ProxyId, RuleId }) => ({ ZoneId: ZONE, ProxyId, RuleIds: [RuleId], IdleSeconds: 60 }),
  [{ code: 'ResourceNotFound', because: 'an unknown rule', request: { RuleIds: ['rule-000000000000'] } }],
  [],
);
