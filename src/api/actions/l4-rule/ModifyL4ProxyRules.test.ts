import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import type { L4Rule } from '../../../domain/l4-rule/l4-rule.ts';
import { MOST_RULE_TEXT } from '../../../domain/l4-rule/batch.ts';
import { type ActionWorld, actionWorld, newSite, ZONE } from '../../../../test/world/actions.ts';
import { alter, copy, prepare, type Prepared, refusals, WEB } from '../../../../test/world/refusals.ts';

test('only the named fields of the named rules change, and only these rules are stamped', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const other = { ...copy(WEB), PortRange: ['81'] };
  const created = await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [other] });
  const otherId = created.L4ProxyRuleIds[0] ?? '';
  const record = async () => (await world.read(keys.proxy(ZONE, 'prepared'))) ?? assert.fail();
  const before = await record();
  const change = { RuleId, OriginValue: ['10.0.0.9'], RuleTag: 'new' };
  const same = { RuleId: otherId, ...other };
  await world.call('ModifyL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [change, same] });
  const after = await record();
  const revision = await world.revision();
  assert.deepEqual(after, {
    ...before,
    rules: [{ ...before.rules[0], originValue: ['10.0.0.9'], tag: 'new', changed: revision }, before.rules[1]],
  });
  await world.call('ModifyL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [change] });
  assert.equal(await world.revision(), revision);
});

test('two rules can swap their ports in one batch', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const other = { ...copy(WEB), PortRange: ['81'] };
  const created = await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [other] });
  const swapped = [
    { RuleId, PortRange: ['81'] },
    { RuleId: created.L4ProxyRuleIds[0] ?? '', PortRange: ['80'] },
  ];
  await world.call('ModifyL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: swapped });
});

const changed =
  (change: object) =>
  ({ RuleId }: Prepared) => ({ L4ProxyRules: [{ RuleId, ...change }] });

refusals(
  'ModifyL4ProxyRules',
  ({ ProxyId, RuleId }) => ({ ZoneId: ZONE, ProxyId, L4ProxyRules: [{ RuleId, RuleTag: 'x' }] }),
  [
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
    { code: 'ResourceNotFound', because: 'an unknown rule', request: changed({ RuleId: 'rule-000000000000' }) },
    {
      code: 'OperationDenied.ErrZoneIsAlreadyPaused',
      because: 'a paused zone',
      given: (world) => world.pauseZone(true),
    },
    {
      code: 'OperationDenied',
      because: 'the plan is gone',
      given: (world) => world.write(keys.plan('edgeone-000000000001'), undefined),
    },
    {
      code: 'OperationDenied.L4ProxyInBannedStatus',
      because: 'the instance is banned',
      given: (world, { ProxyId }) => world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId }),
    },
    {
      code: 'InvalidParameter.ParameterError',
      because: 'UDP while the mode stays TOA',
      request: changed({ Protocol: 'UDP' }),
      given: (world) => alterRule(world, { mode: 'TOA' }),
    },
    {
      code: 'UnsupportedOperation',
      because: 'remote authentication',
      request: changed({ RemoteAuth: { Switch: 'on' } }),
    },
    {
      code: 'InvalidParameterValue',
      because: 'persistence while the time stays out of range',
      request: changed({ SessionPersist: 'on' }),
      given: (world) => alterRule(world, { sessionPersistTime: 5 }),
    },
    {
      code: 'InvalidParameter.ParameterError',
      because: 'one rule twice',
      request: ({ RuleId }) => ({ L4ProxyRules: [{ RuleId }, { RuleId }] }),
    },
    {
      code: 'InvalidParameter.InvalidOriginIp',
      because: 'an origin that policy refuses',
      request: changed({ OriginValue: ['fe80::1'] }),
    },
    {
      code: 'InvalidParameter.InvalidOriginValue',
      because: 'two names',
      request: changed({ OriginValue: ['a.test', 'b.test'] }),
    },
    {
      code: 'InvalidParameter.InvalidOriginValue',
      because: 'a type whose value stays behind',
      request: changed({ OriginType: 'LB' }),
    },
    {
      code: 'InvalidParameter.RuleOriginPortInteger',
      because: 'no origin port',
      request: changed({ OriginPortRange: '' }),
    },
    {
      code: 'InvalidParameter.RulePortGroup',
      because: 'a range of another length',
      request: changed({ OriginPortRange: '80-81' }),
    },
    { code: 'InvalidParameter.RulePortInteger', because: 'no port', request: changed({ PortRange: ['0'] }) },
    {
      code: 'InvalidParameter.RulePortDuplicating',
      because: 'a port of another rule',
      request: changed({ PortRange: ['90'] }),
      given: (world, { ProxyId }) => createAt90(world, ProxyId),
    },
    {
      code: 'OperationDenied.L4PortLackOfResources',
      because: 'the port is taken on a shared address',
      request: changed({ PortRange: ['90'] }),
      options: { sites: [newSite('here', ['10.0.0.1'])] },
      async given(world) {
        const { ProxyId } = await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'other', Area: 'overseas' });
        await createAt90(world, ProxyId);
      },
    },
    {
      code: 'LimitExceeded.ProxyRulesLimitExceeded',
      because: 'the rules grow too long for one record',
      request: changed({
        OriginValue: Array.from({ length: 100 }, (_, i) => `2001:db8:1111:2222:3333:4444:5555:${i}`),
      }),
      given: fillWithText,
    },
  ],
  [],
);

async function alterRule(world: ActionWorld, change: Partial<L4Rule>): Promise<void> {
  const { rules } = (await world.read(keys.proxy(ZONE, 'prepared'))) ?? assert.fail();
  await alter(world, { rules: rules.map((rule) => ({ ...rule, ...change })) });
}

function createAt90(world: ActionWorld, ProxyId: string): Promise<unknown> {
  const rule = { ...copy(WEB), PortRange: ['90'] };
  return world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [rule] });
}

/** As many rules full of origins as go into one record. */
async function fillWithText(world: ActionWorld): Promise<void> {
  const { rules } = (await world.read(keys.proxy(ZONE, 'prepared'))) ?? assert.fail();
  const [rule = assert.fail()] = rules;
  const originValue = Array.from({ length: 100 }, (_, i) => `2001:db8:1111:2222:3333:4444:5555:${i}`);
  const full = Array.from({ length: 300 }, (_, i) => ({
    ...rule,
    id: `rule-${i}`,
    portRange: [`${1000 + i}`],
    originValue,
  }));
  const most = MOST_RULE_TEXT - JSON.stringify(rules).length - 1000;
  const fitting = full.slice(0, Math.floor(most / JSON.stringify(full[299]).length));
  await alter(world, { rules: [...rules, ...fitting] });
}
