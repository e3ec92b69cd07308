import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keys } from '../../../store/records.ts';
import { actionWorld, newZone, STRANGER, ZONE } from '../../../../test/world/actions.ts';
import { putGroup } from '../../../../test/world/groups.ts';
import { foundOrigin } from '../../../../test/world/origins.ts';
import { refusals } from '../../../../test/world/refusals.ts';

const DOWN = { state: 'down', since: 1_000, by: 'traffic', reason: '3 dials in a row failed (refused)' } as const;
const seen = (one: { Origin: string; State: string }) => `${one.Origin} ${one.State}`;

test('an origin as one edge sees it, summed up', async () => {
  await using world = await actionWorld();
  const probe = { p50Ms: 0.4, p99Ms: 3, tries: 9 };
  world.edges.origins = [foundOrigin('edge-1', '10.0.0.1', { ...DOWN, check: 'rule-1', changes: 1, dials: 7, probe })];
  const word = {
    State: 'down',
    SinceTime: '1970-01-01T00:00:01+00:00',
    By: 'traffic',
    Reason: '3 dials in a row failed (refused)',
  };
  const counts = { Changes: 1, Dials: 7, Probes: { P50Ms: 0.4, P99Ms: 3, Tries: 9 } };
  assert.deepEqual(await world.call('EdgeFourDescribeOrigins', {}), {
    TotalCount: 1,
    Origins: [
      {
        ZoneId: ZONE,
        Origin: 'TCP 10.0.0.1:8080',
        Host: '10.0.0.1',
        OriginGroupId: '',
        CheckedFor: 'rule-1',
        ...word,
        Rules: 1,
        ...counts,
        EdgeCount: 1,
        UpCount: 0,
        Edges: [{ EdgeId: 'edge-1', Site: 'site-of-edge-1', Alive: true, ...word, ...counts }],
      },
    ],
  });
});

test('edges that differ: mixed, with the newest word of those that do not have it up, who come first', async () => {
  await using world = await actionWorld();
  const many = Array.from({ length: 12 }, (_, i) => foundOrigin(`edge-${i}`, '10.0.0.1', { dials: 10, since: 9_000 }));
  const probed = (edge: string, p50Ms: number) =>
    foundOrigin(edge, '10.0.0.1', { ...DOWN, since: p50Ms * 1_000, probe: { p50Ms, p99Ms: 5, tries: 3 } });
  world.edges.origins = [...many, probed('ill-1', 2), probed('ill-2', 3), foundOrigin('gone', '10.0.0.1', DOWN, false)];
  const [origin] = (await world.call('EdgeFourDescribeOrigins', {})).Origins;
  assert.deepEqual(
    [origin?.State, origin?.SinceTime, origin?.EdgeCount, origin?.UpCount, origin?.Dials, origin?.Probes],
    ['mixed', '1970-01-01T00:00:03+00:00', 14, 12, 120, { P50Ms: 3, P99Ms: 5, Tries: 6 }],
  );
  assert.deepEqual(
    origin?.Edges.map(({ EdgeId }) => EdgeId),
    ['ill-1', 'ill-2', ...many.slice(0, 8).map(({ edge }) => edge)],
  );
});

test('edges that found out themselves say why, and those that heard of it come after them', async () => {
  await using world = await actionWorld();
  const heard = { ...DOWN, since: 5_000, by: 'fleet', reason: 'other edges find it ill' } as const;
  world.edges.origins = [foundOrigin('a', '10.0.0.1', heard), foundOrigin('b', '10.0.0.1', DOWN)];
  const [origin] = (await world.call('EdgeFourDescribeOrigins', {})).Origins;
  assert.deepEqual([origin?.State, origin?.By, origin?.Reason], ['down', DOWN.by, DOWN.reason]);
  assert.deepEqual(
    origin?.Edges.map(({ EdgeId }) => EdgeId),
    ['b', 'a'],
  );
});

test('while no edge is alive, the last words of all count', async () => {
  await using world = await actionWorld();
  world.edges.origins = [
    foundOrigin('a', '10.0.0.1', DOWN, false),
    foundOrigin('b', '10.0.0.1', { state: 'try' }, false),
  ];
  const [origin] = (await world.call('EdgeFourDescribeOrigins', {})).Origins;
  assert.deepEqual([origin?.State, origin?.Edges.map(({ Alive }) => Alive)], ['down', [false, false]]);
});

test('pages, filters, and what an operator set', async () => {
  await using world = await actionWorld();
  await putGroup(world, 'og-1', ['10.0.0.1', '10.0.0.2']);
  world.edges.origins = [
    foundOrigin('edge-1', '10.0.0.2', { group: 'og-1', dials: 300 }),
    foundOrigin('edge-1', '10.0.0.1', { group: 'og-1', dials: 100 }),
    foundOrigin('edge-1', '10.0.0.1', { group: 'og-1', dials: 100, origin: 'UDP 10.0.0.1:53' }),
    foundOrigin('edge-1', '10.0.0.2', { group: 'og-1', dials: 99, origin: 'UDP 10.0.0.2:99' }),
    foundOrigin('edge-1', '10.0.0.1'),
  ];
  const ask = async (request: object) => {
    const { Origins, TotalCount } = await world.call('EdgeFourDescribeOrigins', request);
    return [TotalCount, ...Origins.map(({ Origin, Share }) => `${Origin}${Share === undefined ? '' : ` ${Share} %`}`)];
  };
  const [one, two, udp] = ['TCP 10.0.0.1:8080 25 %', 'TCP 10.0.0.2:8080 75 %', 'UDP 10.0.0.1:53 100 %'];
  const few = 'UDP 10.0.0.2:99';
  assert.deepEqual(await ask({}), [5, 'TCP 10.0.0.1:8080', one, udp, two, few]);
  assert.deepEqual(await ask({ Offset: 1, Limit: 2 }), [5, one, udp]);
  assert.deepEqual(await ask({ OriginGroupId: 'og-1' }), [4, one, udp, two, few]);
  assert.deepEqual(await ask({ Origin: '10.0.0.2' }), [2, two, few]);
  assert.deepEqual(await ask({ OriginGroupId: 'og-1', Origin: '10.0.0.9' }), [0]);

  await world.call('EdgeFourSetOriginState', { ZoneId: ZONE, Origin: '10.0.0.2', State: 'drain' });
  await world.write(keys.originState(ZONE, '10.0.0.1'), { host: '10.0.0.1', state: 'up', until: 1 });
  const { Origins } = await world.call('EdgeFourDescribeOrigins', { ZoneId: ZONE });
  assert.deepEqual(
    Origins.flatMap(({ Origin, ByHand }) => (ByHand ? [[Origin, ByHand]] : [])),
    [
      ['TCP 10.0.0.2:8080', { State: 'drain' }],
      [few, { State: 'drain' }],
    ],
  );
});

test('nobody sees the origins of zones that are not theirs', async () => {
  await using world = await actionWorld();
  await world.write(keys.zone('zone-2'), { ...newZone('zone-2', 'edgeone-000000000001'), account: STRANGER.account });
  world.edges.origins = [foundOrigin('edge-1', '10.0.0.1'), foundOrigin('edge-1', '10.0.0.2', { zone: 'zone-2' })];
  const of = async (...args: Parameters<typeof world.call<'EdgeFourDescribeOrigins'>>) =>
    (await world.call(...args)).Origins.map(seen);
  assert.deepEqual(await of('EdgeFourDescribeOrigins', {}), ['TCP 10.0.0.1:8080 up']);
  assert.deepEqual(await of('EdgeFourDescribeOrigins', {}, STRANGER), ['TCP 10.0.0.2:8080 up']);
});

refusals(
  'EdgeFourDescribeOrigins',
  () => ({}),
  [
    { code: 'ResourceNotFound', because: 'the zone of another account', request: { ZoneId: ZONE }, caller: STRANGER },
    { code: 'ResourceNotFound', because: 'an unknown group', request: { OriginGroupId: 'og-000000000000' } },
  ],
  [],
);
