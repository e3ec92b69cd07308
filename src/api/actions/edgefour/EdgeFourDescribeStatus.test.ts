import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newSite, newZone, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putBalancer, putGroup, putRule } from '../../../../test/world/groups.ts';
import { foundOrigin } from '../../../../test/world/origins.ts';
import { prepare, refusals } from '../../../../test/world/refusals.ts';

test('each rule with its engine, the reason, and what failed where', async () => {
  await using world = await actionWorld({ sites: [newSite('here', ['10.0.0.1'])] });
  const { ProxyId, RuleId } = await prepare(world, { Ipv6: 'on' });
  const options = { Drain: 'keep', Records: '5' } as const;
  await world.call('EdgeFourSetRuleOptions', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], ...options });
  const named = { failure: 'EADDRINUSE', unresolved: ['o.example'] };
  const placed = { rule: RuleId, edge: 'edge-1', engine: 'node', why: 'TOA is off', ...named };
  world.edges.placements = [placed, { ...placed, rule: 'rule-of-another' }];
  world.edges.failures.set(RuleId, ['edge-1: EADDRINUSE']);
  const quiet = { alarms: [], failed: [], unresolved: [] };
  world.edges.facts = [
    { id: 'edge-1', site: 'here', alive: true, applied: 9, seenAt: 0, version: '1', engines: ['node'], ...quiet },
  ];
  const status = await world.call('EdgeFourDescribeStatus', { ProxyId });
  assert.deepEqual(status, {
    Alarms: [],
    Edges: [
      {
        EdgeId: 'edge-1',
        Site: 'here',
        Alive: true,
        AppliedRevision: 9,
        SeenTime: '1970-01-01T00:00:00+00:00',
        Version: '1',
        Engines: ['node'],
        Alarms: [],
      },
    ],
    TotalCount: 1,
    Instances: [
      {
        ZoneId: ZONE,
        ProxyId,
        ProxyName: 'prepared',
        Area: 'overseas',
        Status: 'online',
        Want: 'online',
        Entries: [{ Site: 'here', Addresses: ['10.0.0.1'] }],
        Notes: ['no IPv6 entry address at site here'],
        Failures: [],
        Rules: [
          {
            RuleId,
            RuleTag: '',
            Protocol: 'TCP',
            PortRange: ['80'],
            OriginValue: ['10.0.0.8'],
            OriginPortRange: '8080',
            ClientIPPassThroughMode: 'OFF',
            Options: { Drain: 'keep', DrainSeconds: 30, Records: '5' },
            Status: 'fail',
            Want: 'online',
            Placements: [
              { EdgeId: 'edge-1', Engine: 'node', Why: 'TOA is off', Failure: 'EADDRINUSE', Unresolved: ['o.example'] },
            ],
            Failures: ['edge-1: EADDRINUSE'],
          },
        ],
      },
    ],
  });
});

test('a rule counts its own origins, and names those that some edge does not have up', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  await putGroup(world, 'og-1', ['10.0.0.8', '10.0.0.9'], { checker: { type: 'TCP', port: 22 } });
  await putBalancer(world, 'lb-1', 'og-1', { checker: { type: 'NoCheck' } });
  const grouped = await putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1');
  const balanced = await putRule(world, ProxyId, 'LB', 'lb-1', '82');
  const slow = await putRule(world, ProxyId, 'ORIGIN_GROUP', 'og-1', '83');
  const RuleIds = [slow];
  await world.call('EdgeFourSetRuleOptions', { ZoneId: ZONE, ProxyId, RuleIds, SlowStartSeconds: 9, Passive: 'off' });
  const origins = async () => {
    const { Instances } = await world.call('EdgeFourDescribeStatus', {});
    return Object.fromEntries(Instances[0]?.Rules.map(({ RuleId, Origins }) => [RuleId, Origins]) ?? []);
  };
  const down = { state: 'down', since: 1_000, by: 'probe', reason: 'connection refused' } as const;
  const group = { group: 'og-1' };
  world.edges.origins = [
    foundOrigin('edge-1', '10.0.0.8'),
    foundOrigin('edge-1', '10.0.0.8', { ...down, origin: 'TCP 10.0.0.8:9999' }),
    foundOrigin('edge-1', '10.0.0.8', { ...down, origin: 'UDP 10.0.0.8:8080' }),
    foundOrigin('edge-1', '10.0.0.8', { ...group, check: 'og-1' }),
    foundOrigin('edge-1', '10.0.0.9', { ...group, check: 'og-1', ...down }),
    foundOrigin('edge-2', '10.0.0.9', { ...group, check: 'og-1' }),
    foundOrigin('edge-1', '10.0.0.8', group),
    foundOrigin('edge-1', '10.0.0.8', {
      ...group,
      check: 'og-1',
      ...down,
      passive: false,
      slowStartSeconds: 9,
      key: 'k',
    }),
  ];
  const word = { SinceTime: '1970-01-01T00:00:01+00:00', By: 'probe', Reason: 'connection refused' };
  const notUp = (host: string) => ({ Origin: `TCP ${host}:8080`, Host: host, ...word });
  assert.deepEqual(await origins(), {
    [RuleId]: { Count: 1, UpCount: 1, NotUp: [] },
    [grouped]: {
      Count: 2,
      UpCount: 1,
      NotUp: [{ ...notUp('10.0.0.9'), State: 'mixed', EdgeCount: 2, UpCount: 1 }],
    },
    [balanced]: { Count: 1, UpCount: 1, NotUp: [] },
    [slow]: { Count: 1, UpCount: 0, NotUp: [{ ...notUp('10.0.0.8'), State: 'down', EdgeCount: 1, UpCount: 0 }] },
  });
  await world.call('ModifyL4ProxyRulesStatus', { ZoneId: ZONE, ProxyId, RuleIds: [RuleId], Status: 'offline' });
  assert.equal((await origins())[RuleId], undefined);
});

test('notes say what stands in the way', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  await world.write(keys.site('late'), newSite('late', ['10.0.0.0/24']));
  await world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' });
  await world.call('EdgeFourBanL4Proxy', { ZoneId: ZONE, ProxyId });
  await world.pauseZone(true);
  const { Instances } = await world.call('EdgeFourDescribeStatus', {});
  assert.deepEqual(Instances[0]?.Notes, [
    'banned by an operator',
    `zone ${ZONE} is paused`,
    'switched off',
    'no entry address at site late; switch it off and on to give it one',
  ]);
});

test('pages go across zones and leave out other accounts', async () => {
  await using world = await actionWorld();
  await world.write(keys.zone('zone-1'), newZone('zone-1', 'edgeone-000000000001'));
  await world.write(keys.zone('zone-2'), { ...newZone('zone-2', 'edgeone-000000000001'), account: STRANGER.account });
  for (const [ZoneId, ProxyName] of [
    ['zone-1', 'a'],
    ['zone-1', 'b'],
    [ZONE, 'c'],
    [ZONE, 'd'],
  ] as const)
    await world.call('CreateL4Proxy', { ZoneId, ProxyName, Area: 'global' });
  const plan = (await world.read(keys.plan('edgeone-000000000001'))) ?? assert.fail();
  await world.write(keys.plan(plan.id), { ...plan, account: STRANGER.account });
  await world.call('CreateL4Proxy', { ZoneId: 'zone-2', ProxyName: 'x', Area: 'global' }, STRANGER);
  const page = async (request: object) => {
    const { Instances, TotalCount } = await world.call('EdgeFourDescribeStatus', request);
    return `${Instances.map(({ ProxyName }) => ProxyName).join('')}/${TotalCount}`;
  };
  assert.equal(await page({}), 'abcd/4');
  assert.equal(await page({ Offset: 1, Limit: 2 }), 'bc/4');
  assert.equal(await page({ Offset: 3, Limit: 2 }), 'd/4');
  assert.equal(await page({ ZoneId: ZONE }), 'cd/2');
});

refusals(
  'EdgeFourDescribeStatus',
  () => ({ ZoneId: ZONE }),
  [
    { code: 'ResourceNotFound', because: 'the zone of another account', caller: STRANGER },
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
  ],
  [],
);
