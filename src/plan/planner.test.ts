import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PlannedRule } from './plan.ts';
import { compilePlan, type PlanDelta, Planner } from './planner.ts';

const SITE = { id: 'paris', records: 'all' } as const;
const GOLDEN = JSON.parse(readFileSync(new URL('testdata/load-balancers.in.json', import.meta.url), 'utf8')) as {
  readonly records: Readonly<Record<string, unknown>>;
};

/** A planner over a world that counts how many records are read. */
function planned(records: Readonly<Record<string, unknown>>) {
  const world = new Map(Object.entries(records));
  let reads = 0;
  const planner = new Planner(SITE, (key) => {
    reads += 1;
    return world.get(key);
  });
  planner.reset(world.keys());
  return {
    planner,
    world,
    put(key: string, value: unknown): PlanDelta {
      if (value === undefined) world.delete(key);
      else world.set(key, value);
      return planner.change([key]);
    },
    readsOf(run: () => void): number {
      reads = 0;
      run();
      return reads;
    },
  };
}

function proxy(name: string, rules: readonly unknown[], more: object = {}) {
  const base = { zone: 'zone-a', area: 'overseas', entries: { paris: { v4: '192.0.2.1' } }, want: 'online' };
  return { id: `sid-${name}`, name, ...base, banned: false, rules, ...more };
}

function rule(id: string, more: object = {}) {
  const origin = { originType: 'IP_DOMAIN', originValue: ['198.51.100.1'], originPortRange: '1' };
  return { id, protocol: 'TCP', portRange: ['1'], ...origin, want: 'online', ...more };
}

const WORLD = { 'site/paris': { id: 'paris', areas: ['overseas'] }, 'zone/zone-a': { id: 'zone-a', paused: false } };

test('one changed rule of an instance is the only difference', () => {
  const rules = Array.from({ length: 200 }, (_, i) => rule(`rule-${i}`));
  const w = planned({ ...WORLD, 'proxy/zone-a/a': proxy('a', rules) });
  const delta = w.put('proxy/zone-a/a', proxy('a', rules.with(7, rule('rule-7', { portRange: ['9'] }))));
  assert.deepEqual([delta.put.map(({ id }) => id), delta.drop], [['rule-7'], []]);
  assert.deepEqual(w.planner.plan.rules.get('rule-7')?.ports, [{ from: 9, to: 9 }]);
  assert.deepEqual(w.put('proxy/zone-a/a', undefined), { put: [], drop: rules.map(({ id }) => id), pools: new Map() });
});

test('a rule that moves between instances in one revision is changed, not dropped', () => {
  const w = planned({ ...WORLD, 'proxy/zone-a/a': proxy('a', [rule('r')]) });
  w.world.delete('proxy/zone-a/a');
  w.world.set('proxy/zone-a/b', proxy('b', [rule('r')]));
  const delta = w.planner.change(['proxy/zone-a/b', 'proxy/zone-a/a']);
  assert.deepEqual([delta.put.map(({ proxy }) => proxy), delta.drop], [['sid-b'], []]);
});

test('a change compiles only what uses it', () => {
  const many = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`proxy/zone-a/p${i}`, proxy(`p${i}`, [rule(`rule-${i}`)])]),
  );
  const w = planned({ ...WORLD, ...many });
  const few = 10;
  assert.ok(w.readsOf(() => w.put('proxy/zone-a/p5', proxy('p5', []))) < few);
  assert.ok(w.readsOf(() => w.put('zone/zone-a', { id: 'zone-a', paused: false, tags: ['new'] })) < few);
  assert.ok(w.readsOf(() => w.put('site/paris', { id: 'paris', areas: ['overseas'], pool: ['192.0.2.0/28'] })) < few);
  assert.ok(w.readsOf(() => w.put('origin-group/zone-a/og-unused', {})) < few);
  assert.ok(w.readsOf(() => w.put('zone/zone-a', { id: 'zone-a', paused: true })) > 1_000);
});

test('a group reaches the rules behind its load balancer, and one that comes later too', () => {
  const w = planned(GOLDEN.records);
  assert.match(w.planner.plan.failures.get('rule-half') ?? '', /og-gone does not exist/);
  const records = [{ id: '1', host: '203.0.113.9', type: 'IP_DOMAIN' }];
  const delta = w.put('origin-group/zone-a/og-gone', { id: 'og-gone', type: 'GENERAL', records });
  assert.deepEqual(
    delta.put.map(({ id }) => id),
    ['rule-half'],
  );
  assert.equal(w.planner.plan.failures.has('rule-half'), false);
  assert.deepEqual(w.put('origin-group/zone-a/og-gone', undefined).drop, ['rule-half']);
});

test('steps make the same plan as everything at once, and their differences add up to it', () => {
  const names = ['a', 'b', 'c'];
  const ids = ['r1', 'r2', 'r3', 'r4'];
  const origins = fc.constantFrom(
    { originType: 'IP_DOMAIN', originValue: ['198.51.100.1'] },
    { originType: 'ORIGIN_GROUP', originValue: ['og-1'] },
    { originType: 'LB', originValue: ['lb-1'] },
  );
  const rules = fc.uniqueArray(fc.record({ id: fc.constantFrom(...ids), port: fc.nat(3), origins }), {
    selector: ({ id }) => id,
  });
  const write = fc.oneof(
    fc.record({ kind: fc.constant('proxy'), name: fc.constantFrom(...names), rules, banned: fc.boolean() }),
    fc.record({ kind: fc.constant('group'), hosts: fc.array(fc.constantFrom('198.51.100.7', '198.51.100.8')) }),
    fc.record({ kind: fc.constant('balancer'), present: fc.boolean() }),
    fc.record({ kind: fc.constant('zone'), paused: fc.boolean() }),
    fc.record({ kind: fc.constant('delete'), name: fc.constantFrom(...names) }),
  );
  type Write = {
    kind: string;
    name?: string;
    rules?: { id: string; port: number; origins: object }[];
    banned?: boolean;
    hosts?: string[];
    present?: boolean;
    paused?: boolean;
  };
  function record(w: Write): readonly [string, unknown] {
    if (w.kind === 'zone') return ['zone/zone-a', { id: 'zone-a', paused: w.paused }];
    if (w.kind === 'group') {
      const records = w.hosts?.map((host) => ({ host, type: 'IP_DOMAIN' }));
      return ['origin-group/zone-a/og-1', { type: 'GENERAL', records }];
    }
    if (w.kind === 'balancer')
      return ['load-balancer/zone-a/lb-1', w.present ? { groups: [{ priority: 1, group: 'og-1' }] } : undefined];
    const key = `proxy/zone-a/${w.name}`;
    if (w.kind === 'delete') return [key, undefined];
    // Two instances never have a rule in common: ids are random.
    const own = w.rules?.map(({ id, port, origins }) =>
      rule(`${w.name}-${id}`, { portRange: [`${port + 1}`], ...origins }),
    );
    return [key, proxy(w.name ?? '', own ?? [], { banned: w.banned })];
  }
  fc.assert(
    fc.property(fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { maxLength: 20 }), (batches) => {
      const { planner, world } = planned(WORLD);
      const added = new Map<string, PlannedRule>();
      for (const batch of batches) {
        const changed = batch.map((one) => record(one as Write));
        for (const [key, value] of changed)
          if (value === undefined) world.delete(key);
          else world.set(key, value);
        const delta = planner.change(changed.map(([key]) => key));
        for (const id of delta.drop) assert.ok(added.delete(id));
        for (const one of delta.put) added.set(one.id, one);
        const whole = compilePlan(
          [...world].map(([key, value]) => ({ key, value })),
          SITE,
        );
        const sorted = (map: ReadonlyMap<string, unknown>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(sorted(planner.plan.rules), sorted(whole.rules));
        assert.deepEqual(sorted(planner.plan.failures), sorted(whole.failures));
        assert.deepEqual(sorted(added), sorted(whole.rules));
      }
    }),
  );
});

test('a state set by hand compiles the instances that use the host, and no others, however the host is written', () => {
  const many = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`proxy/zone-a/p${i}`, proxy(`p${i}`, [rule(`rule-${i}`)])]),
  );
  const named = proxy('named', [{ ...rule('rule-named'), originValue: ['Origin.Example'] }]);
  const w = planned({ ...WORLD, ...many, 'proxy/zone-a/named': named });
  const key = 'origin-state/zone-a/origin.example';
  const overrides = (delta: PlanDelta) => delta.put.map(({ id, origins }) => [id, origins[0]?.override]);
  const down = { host: 'origin.example', state: 'down' };
  assert.ok(w.readsOf(() => w.put(key, { ...down, until: 4 })) < 10);
  assert.deepEqual(overrides(w.put(key, down)), [['rule-named', { state: 'down' }]]);
  assert.deepEqual(overrides(w.put(key, down)), []);
  assert.deepEqual(overrides(w.put('origin-state/zone-b/origin.example', { ...down, state: 'up' })), []);
  assert.deepEqual(overrides(w.put(key, undefined)), [['rule-named', undefined]]);
});

test('a pool follows its balancer and the groups of it, and differs only where its origins or its check do', () => {
  const group = (...hosts: string[]) => ({
    id: 'og',
    zone: 'zone-a',
    records: hosts.map((host) => ({ host, type: 'IP_DOMAIN' })),
  });
  const balancer = (more: object) => ({ id: 'lb', zone: 'zone-a', groups: [{ priority: 1, group: 'og' }], ...more });
  const [GROUP, LB] = ['origin-group/zone-a/og', 'load-balancer/zone-a/lb'];
  const w = planned({ ...WORLD, [GROUP]: group('198.51.100.1'), [LB]: balancer({}) });
  const hosts = (delta: PlanDelta) =>
    [...delta.pools].map(([owner, pool]) => [owner, pool?.origins.map(({ host }) => host)]);
  assert.deepEqual([...w.planner.plan.pools], []);
  const checked = balancer({ checker: { type: 'TCP', port: 80 } });
  assert.deepEqual(hosts(w.put(LB, checked)), [['lb', ['198.51.100.1']]]);
  assert.deepEqual(hosts(w.put(LB, { ...checked, name: 'other' })), []);
  assert.deepEqual(hosts(w.put(GROUP, group('198.51.100.1', '198.51.100.2'))), [
    ['lb', ['198.51.100.1', '198.51.100.2']],
  ]);
  assert.deepEqual(hosts(w.put(LB, balancer({ checker: { type: 'NoCheck' } }))), [['lb', undefined]]);
  assert.deepEqual([...w.planner.plan.pools], []);
});
