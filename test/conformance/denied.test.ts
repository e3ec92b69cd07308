/** A policy that denies a zone denies it in every action there is: nothing shows the zone, nothing changes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyAction } from '../../src/api/action.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import { keys } from '../../src/store/records.ts';
import { newPlan, newSite, newZone } from '../world/actions.ts';
import { ACCOUNT, type Desk, openDesk } from './desk.ts';

const [FENCED, FREE, PLAN] = ['zone-fenced000001', 'zone-free00000001', 'edgeone-000000000001'];
const CAM = 'UnauthorizedOperation.CamUnauthorized';
const SAM = { secretId: 'AKIDSAM', secretKey: 'SK' };
const all = Object.entries<AnyAction>(ACTIONS);
/** The policy that denies the zone has to name it. */
const denying = all.filter(([name]) => name !== 'EdgeFourListPolicies');

async function openFenced(): Promise<
  Desk & { readonly proxy: string; readonly rule: string; readonly group: string; readonly balancer: string }
> {
  const desk = await openDesk();
  const zone = { ...newZone(FENCED, PLAN), account: ACCOUNT, tags: [{ key: 'team', value: 'games' }] };
  await desk.store.commit(
    [
      { key: keys.plan(PLAN), value: { ...newPlan(PLAN), account: ACCOUNT, expiresAt: 8_640_000_000_000 } },
      { key: keys.zone(FENCED), value: { ...zone, name: 'fenced.test', type: 'partial' } },
      { key: keys.zone(FREE), value: { ...newZone(FREE, PLAN), account: ACCOUNT } },
      { key: keys.site('here'), value: newSite('here', ['127.44.0.0/24']) },
    ],
    [],
  );
  const made = await desk.call('CreateL4Proxy', { ZoneId: FENCED, ProxyName: 'in', Area: 'overseas' });
  const [draft] = ACTIONS.CreateL4ProxyRules.example.request.L4ProxyRules;
  const rules = await desk.call('CreateL4ProxyRules', {
    ZoneId: FENCED,
    ProxyId: made['ProxyId'],
    L4ProxyRules: [draft],
  });
  const group = await desk.call('CreateOriginGroup', {
    ZoneId: FENCED,
    Type: 'GENERAL',
    Records: [{ Record: '10.0.0.8' }],
  });
  const balancer = await desk.call('CreateLoadBalancer', {
    ZoneId: FENCED,
    Name: 'in',
    Type: 'GENERAL',
    OriginGroups: [{ Priority: 'priority_1', OriginGroupId: group['OriginGroupId'] }],
  });
  return {
    ...desk,
    proxy: String(made['ProxyId']),
    rule: String((rules['L4ProxyRuleIds'] as string[])[0]),
    group: String(group['OriginGroupId']),
    balancer: String(balancer['InstanceId']),
  };
}

async function putSam(desk: Desk, ...statements: [effect: string, action: string, resource: string][]): Promise<void> {
  const statement = statements.map(([effect, action, resource]) => ({ effect, action, resource }));
  await desk.call('EdgeFourPutPolicy', { Name: 'sam', Document: JSON.stringify({ version: '2.0', statement }) });
  await desk.putKey({ ...SAM, user: 'sam', policies: ['sam'] });
}

/** All records but keys, policies and plans. */
async function worldOf(desk: Desk): Promise<string> {
  const records = await desk.store.read((view) =>
    ['zone/', 'zone-name/', 'proxy/', 'address/', 'origin-group/', 'origin-state/', 'load-balancer/'].flatMap(
      (prefix) => view.list(prefix),
    ),
  );
  return JSON.stringify(records.filter(({ key, value }) => JSON.stringify([key, value]).includes(FENCED)));
}

for (const [name, { example }] of denying) {
  test(`${name} neither shows nor changes a zone that is denied`, async () => {
    await using desk = await openFenced();
    await putSam(desk, ['allow', '*', '*'], ['deny', '*', `qcs::teo::uin/:zone/${FENCED}`]);
    const here = {
      ZoneId: FENCED,
      ProxyId: desk.proxy,
      RuleIds: [desk.rule],
      GroupId: desk.group,
      InstanceId: desk.balancer,
      LBInstanceId: desk.balancer,
      Resource: `qcs::teo::uin/:zone/${FENCED}`,
      ResourceIds: [FENCED],
      Domain: 'fenced.test',
      PlanId: PLAN,
    };
    const given = example.request as object;
    const fits = Object.entries(here).filter(([field]) => field in given);
    const before = await worldOf(desk);
    for (const more of [{}, 'ZoneId' in ACTIONS[name as 'CreateL4Proxy'].request ? { ZoneId: FENCED } : {}]) {
      const everything = 'Filters' in given ? { Filters: [] } : {};
      const reply = await desk.call(name, { ...given, ...Object.fromEntries(fits), ...everything, ...more }, SAM);
      if (reply.Error && [CAM, 'ResourceNotFound'].includes(reply.Error.Code)) continue;
      for (const word of [FENCED, desk.proxy, desk.rule, desk.group, desk.balancer])
        assert.ok(!JSON.stringify(reply).includes(word), word);
      assert.notEqual(reply['Status'], 'success');
    }
    assert.equal(await worldOf(desk), before);
  });
}

test('every action is refused to a caller whom no policy allows it', async () => {
  await using desk = await openFenced();
  await putSam(desk, ['deny', '*', '*']);
  for (const [name, { example, service }] of all) {
    // The tag product is another version of the API; tags.test.ts has its actions.
    if (service === 'tag') continue;
    const reply = await desk.call(name, { ...(example.request as object) }, SAM);
    assert.equal(reply.Error?.Code, CAM, name);
  }
});

test('every action says what it touches, and a zone that it names is among that', () => {
  const zoned = new Set(['ZoneId', 'ZoneIds', 'Resource', 'ResourceIds']);
  for (const [name, { touches, request }] of all) {
    if (touches === 'zone') assert.equal(request['ZoneId']?.kind, 'string', `${name} needs a ZoneId`);
    if (touches !== 'account' && touches !== 'world') continue;
    assert.deepEqual(
      Object.keys(request).filter((field) => zoned.has(field)),
      [],
      `${name} names zones and says that it touches none`,
    );
  }
});

test('a caller with one zone is shown that one', async () => {
  await using desk = await openFenced();
  await putSam(desk, ['allow', 'teo:Describe*', `qcs::teo::uin/:zone/${FREE}`], ['allow', 'edgefour:*', '*']);
  const zones = await desk.call('DescribeZones', {}, SAM);
  assert.deepEqual([zones['TotalCount'], (zones['Zones'] as { ZoneId: string }[])[0]?.ZoneId], [1, FREE]);
  assert.equal((await desk.call('DescribePlans', {}, SAM)).Error?.Code, CAM);
  assert.equal((await desk.call('DescribeZones', {}))['TotalCount'], 2);
});
