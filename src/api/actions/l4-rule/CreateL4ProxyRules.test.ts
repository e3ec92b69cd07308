import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newSite, ROOT, ZONE } from '../../../../test/world/actions.ts';
import { copy, prepare, refusals, WEB } from '../../../../test/world/refusals.ts';

const TERRAFORM = { ...ROOT, client: 'Terraform-latest' };

test('rules come back to Terraform exactly as they were written, and nothing that was not', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'p', Area: 'overseas' });
  const written = [
    copy(WEB),
    {
      ...copy(WEB),
      PortRange: ['81-85', '0443'],
      OriginPortRange: '81-86',
      OriginValue: ['Example.COM.'],
      ClientIPPassThroughMode: 'OFF',
      SessionPersist: 'off',
      SessionPersistTime: 3600,
      RuleTag: '标签',
    },
    { ...copy(WEB), Protocol: 'UDP', OriginValue: ['2001:DB8::1', '10.0.0.1'], SessionPersistTime: 0, RuleTag: '' },
    { ...copy(WEB), PortRange: ['90'], SessionPersist: 'on', SessionPersistTime: 0, ClientIPPassThroughMode: 'TOA' },
  ] as const;
  const request = { ZoneId: ZONE, ProxyId, L4ProxyRules: copy(written) as never };
  const { L4ProxyRuleIds } = await world.call('CreateL4ProxyRules', request);
  assert.ok(L4ProxyRuleIds.every((id) => /^rule-[0-9a-z]{12}$/.test(id)));
  const { TotalCount, L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId }, TERRAFORM);
  assert.equal(TotalCount, 4);
  const shown = written.map((rule, i) => ({ ...rule, RuleId: L4ProxyRuleIds[i], Status: 'online', BuId: '' }));
  const asSent = shown.map((rule) => ({ ...rule, RemoteAuth: null }));
  assert.deepEqual(L4ProxyRules, asSent);

  // Everybody else gets what the cloud's model calls not nullable, with its default.
  const others = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
  const defaults = { ClientIPPassThroughMode: 'OFF', SessionPersist: 'off', RuleTag: '' };
  const timed = (rule: object) =>
    'SessionPersist' in rule && rule.SessionPersist === 'on' && { SessionPersistTime: 3600 };
  assert.deepEqual(
    others.L4ProxyRules,
    asSent.map((rule) => ({ ...defaults, ...rule, ...timed(rule) })),
  );
});

test('EDGEFOUR_DEFAULTS=as-sent shows nobody a default', async () => {
  await using world = await actionWorld({ defaults: 'as-sent' });
  const { ProxyId } = await prepare(world);
  const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
  assert.deepEqual(
    ['ClientIPPassThroughMode', 'SessionPersist', 'RuleTag'].filter((field) => field in (L4ProxyRules[0] ?? {})),
    [],
  );
});

test('what a caller copied from Describe is ignored', async () => {
  await using world = await actionWorld();
  const { ProxyId, RuleId } = await prepare(world);
  const rule = { ...copy(WEB), PortRange: ['81'], RuleId, Status: 'offline', BuId: 'x', RemoteAuth: OFF };
  const nothing = { ...copy(WEB), PortRange: ['82'], RemoteAuth: null as never };
  const { L4ProxyRuleIds } = await world.call('CreateL4ProxyRules', {
    ZoneId: ZONE,
    ProxyId,
    L4ProxyRules: [rule, nothing],
  });
  assert.notEqual(L4ProxyRuleIds[0], RuleId);
  const { L4ProxyRules } = await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId });
  assert.deepEqual(
    L4ProxyRules.map(({ Status, BuId, RemoteAuth }) => [Status, BuId, RemoteAuth]),
    [
      ['online', '', null],
      ['online', '', null],
      ['online', '', null],
    ],
  );
});

test('a new rule is stamped alone, and can be created while its instance is still in progress', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const before = await world.read(keys.proxy(ZONE, 'prepared'));
  world.edges.applied = 0;
  const rule = { ...copy(WEB), PortRange: ['443'] };
  await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [rule] });
  const after = await world.read(keys.proxy(ZONE, 'prepared'));
  assert.equal(after?.changed, before?.changed);
  assert.deepEqual(after?.rules[0], before?.rules[0]);
  assert.equal(after?.rules[1]?.changed, await world.revision());
});

test('ten parallel calls on one instance all succeed; of two that want one port, one does', async () => {
  await using world = await actionWorld();
  const { ProxyId } = await prepare(world);
  const create = (port: number) =>
    world.call('CreateL4ProxyRules', {
      ZoneId: ZONE,
      ProxyId,
      L4ProxyRules: [{ ...copy(WEB), PortRange: [`${port}`] }],
    });
  await Promise.all(Array.from({ length: 10 }, (_, i) => create(1000 + i)));
  const outcomes = await Promise.allSettled([create(2000), create(2000)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await world.call('DescribeL4ProxyRules', { ZoneId: ZONE, ProxyId })).TotalCount, 12);
});

test('instances on one address cannot both have a port, even when they reach for it at once', async () => {
  await using world = await actionWorld({ sites: [newSite('here', ['10.0.0.1'])] });
  const proxies = [];
  for (const ProxyName of ['a', 'b', 'c', 'd'])
    proxies.push(await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName, Area: 'overseas' }));
  const outcomes = await Promise.allSettled(
    proxies.map(({ ProxyId }) =>
      world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [copy(WEB)] }),
    ),
  );
  const codes = outcomes.map((outcome) =>
    outcome.status === 'fulfilled' ? 'OK' : (outcome.reason as { code: string }).code,
  );
  const lack = 'OperationDenied.L4PortLackOfResources';
  assert.deepEqual(codes.sort(), ['OK', lack, lack, lack]);
});

const OFF = { Switch: 'off', Address: '', ServerFaultyBehavior: 'allow' } as const;

test('a port twice in a batch is told by places, as no rule has an id yet, and other instances stay unnamed', async () => {
  await using world = await actionWorld({ sites: [newSite('here', ['10.0.0.1'])] });
  const { ProxyId, RuleId } = await prepare(world);
  const refusedWith = async (at: string, ...ports: string[]): Promise<string | undefined> => {
    const L4ProxyRules = ports.map((port) => ({ ...copy(WEB), PortRange: [port] }));
    return (await world.refusal('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId: at, L4ProxyRules })).detail;
  };
  const twice = 'TCP 443 is wanted by L4ProxyRules.0 and L4ProxyRules.1.';
  assert.equal(await refusedWith(ProxyId, '443', '443'), twice);
  assert.equal(await refusedWith(ProxyId, '8080', '80'), `TCP 80 is wanted by ${RuleId} and L4ProxyRules.1.`);
  const other = await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'other', Area: 'overseas' });
  const shared = await refusedWith(other.ProxyId, '80');
  assert.match(
    shared ?? '',
    /TCP 80 is wanted by (another instance and L4ProxyRules\.0|L4ProxyRules\.0 and another instance)\.$/,
  );
});

const group = (records: readonly string[], more: object = {}) => ({
  id: 'og-1',
  zone: ZONE,
  name: 'g',
  type: 'GENERAL' as const,
  hostHeader: '',
  records: records.map((host) => ({ id: host, host, type: 'IP_DOMAIN' as const })),
  changed: 1,
  createdAt: 0,
  updatedAt: 0,
  ...more,
});
const rules = (change: object) => ({ L4ProxyRules: [{ ...WEB, PortRange: ['81'], ...change }] });

refusals(
  'CreateL4ProxyRules',
  ({ ProxyId }) => ({ ZoneId: ZONE, ProxyId, L4ProxyRules: [{ ...copy(WEB), PortRange: ['81'] }] }),
  [
    { code: 'ResourceNotFound', because: 'an unknown zone', request: { ZoneId: 'zone-000000000000' } },
    { code: 'ResourceNotFound', because: 'an unknown instance', request: { ProxyId: 'sid-000000000000' } },
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
      code: 'OperationDenied.L4ProxyInOfflineStatus',
      because: 'the instance is off',
      given: (world, { ProxyId }) => world.call('ModifyL4ProxyStatus', { ZoneId: ZONE, ProxyId, Status: 'offline' }),
    },
    {
      code: 'InvalidParameter.RulePortDuplicating',
      because: 'a port in use',
      request: rules({ PortRange: ['79-80'] }),
    },
    {
      code: 'InvalidParameter.RulePortDuplicating',
      because: 'a port twice in the batch',
      request: {
        L4ProxyRules: [
          { ...WEB, PortRange: ['81'] },
          { ...WEB, PortRange: ['81'] },
        ],
      },
    },
    { code: 'InvalidParameter.RulePortInteger', because: 'no port', request: rules({ PortRange: ['http'] }) },
    { code: 'InvalidParameter.RulePortGroup', because: 'a range upside down', request: rules({ PortRange: ['9-8'] }) },
    {
      code: 'InvalidParameter.RulePortGroup',
      because: 'ranges of different length',
      request: rules({ PortRange: ['81-85'], OriginPortRange: '81-86' }),
    },
    {
      code: 'InvalidParameter.RuleOriginPortInteger',
      because: 'no origin port',
      request: rules({ OriginPortRange: '80,81' }),
    },
    {
      code: 'InvalidParameter.ParameterError',
      because: 'a mode that the protocol lacks',
      request: rules({ ClientIPPassThroughMode: 'SPP' }),
    },
    ...[29, 3601].map((SessionPersistTime) => ({
      code: 'InvalidParameterValue' as const,
      because: `${SessionPersistTime} seconds of persistence`,
      request: rules({ SessionPersist: 'on', SessionPersistTime }),
    })),
    {
      code: 'UnsupportedOperation',
      because: 'remote authentication',
      request: rules({ RemoteAuth: { Switch: 'on', Address: 'auth:80', ServerFaultyBehavior: 'reject' } }),
    },
    {
      code: 'InvalidParameter.InvalidOriginIp',
      because: 'an origin that policy refuses',
      request: rules({ OriginValue: ['::ffff:169.254.169.254'] }),
    },
    { code: 'InvalidParameter.InvalidOriginValue', because: 'a URL', request: rules({ OriginValue: ['http://a'] }) },
    {
      code: 'InvalidParameter.InvalidOriginValue',
      because: 'no such origin group',
      request: rules({ OriginType: 'ORIGIN_GROUP', OriginValue: ['og-1'] }),
    },
    {
      code: 'InvalidParameter.InvalidOriginValue',
      because: 'an origin group of addresses and names',
      request: rules({ OriginType: 'ORIGIN_GROUP', OriginValue: ['og-1'] }),
      given: (world) => world.write(keys.originGroup(ZONE, 'og-1'), group(['10.0.0.1', 'a.test'])),
    },
    {
      code: 'InvalidParameter.InvalidOriginValue',
      because: 'no such load balancer',
      request: rules({ OriginType: 'LB', OriginValue: ['lb-1'] }),
    },
    {
      code: 'LimitExceeded.ProxyRulesLimitExceeded',
      because: 'the 2,001st rule',
      async given(world, { ProxyId }) {
        for (let batch = 0; batch < 10; batch++) {
          const ports = Array.from({ length: batch === 9 ? 199 : 200 }, (_, i) => 1000 + batch * 200 + i);
          const L4ProxyRules = ports.map((port) => ({ ...copy(WEB), PortRange: [`${port}`] }));
          await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules });
        }
      },
    },
    {
      code: 'OperationDenied.L4PortLackOfResources',
      because: 'the port is taken on a shared address',
      options: { sites: [newSite('here', ['10.0.0.1'])] },
      async given(world) {
        const { ProxyId } = await world.call('CreateL4Proxy', { ZoneId: ZONE, ProxyName: 'other', Area: 'overseas' });
        const rule = { ...copy(WEB), PortRange: ['81'] };
        await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [rule] });
      },
    },
  ],
  [],
);
