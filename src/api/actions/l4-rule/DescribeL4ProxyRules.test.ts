import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionWorld, ZONE } from '../../../../test/world/actions.ts';
import { copy, prepare, refusals, WEB } from '../../../../test/world/refusals.ts';

test('pages and filters', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const tagged = ['x', 'y', 'x'].map((RuleTag, i) => ({ ...copy(WEB), PortRange: [`${81 + i}`], RuleTag }));
  await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: tagged });
  const find = async (request: object) => {
    const answer = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId, ...request });
    return `${answer.L4ProxyRules.map(({ PortRange }) => PortRange[0]).join()}/${answer.TotalCount}`;
  };
  const by = (Name: string, ...Values: string[]) => ({ Filters: [{ Name, Values }] });
  assert.equal(await find({ Offset: 0, Limit: 0 }), '80,81,82,83/4');
  assert.equal(await find({ Offset: 1, Limit: 2 }), '81,82/4');
  assert.equal(await find(by('rule-id', RuleId)), '80/1');
  assert.equal(await find(by('rule-id', 'rule-nobody')), '/0');
  assert.equal(await find({ ...by('rule-tag', 'x'), Offset: 1 }), '83/2');
  assert.equal(await find({ Filters: [...by('rule-id', RuleId).Filters, ...by('rule-tag', 'x').Filters] }), '/0');
  assert.equal(await find({ ProxyId: 'sid-nobody' }), '/0');
});

test('a rule is online once the edges have it; its failure is its own', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  world.edges.applied = await world.revision();
  await world.call('CreateL4ProxyRules', {
    ZoneId: ZONE,
    ProxyId,
    L4ProxyRules: [{ ...copy(WEB), PortRange: ['81'] }],
  });
  const states = async () => {
    const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
    return L4ProxyRules.map(({ Status }) => Status);
  };
  assert.deepEqual(await states(), ['online', 'progress']);
  world.edges.applied = await world.revision();
  world.edges.failures.set(RuleId, ['edge-1: the address is in use']);
  assert.deepEqual(await states(), ['fail', 'online']);
});

refusals(
  'DescribeL4ProxyRules',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'InvalidParameterValue', because: 'a page too long', request: { Limit: 1001 } },
    {
      code: 'InvalidParameterValue',
      because: 'an unknown filter',
      request: { Filters: [{ Name: 'tag', Values: ['a'] }] },
    },
  ],
  [
    'InternalError.ProxyServer',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
    'UnauthorizedOperation.Unknown',
  ],
);
