import assert from 'node:assert/strict';
import { Session } from 'node:inspector/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import fc from 'fast-check';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { L4Rule } from '../../domain/l4-rule/l4-rule.ts';
import { world } from './acks.fixture.ts';
import { Acks } from './acks.ts';

// Optimized code does not count the calls that it has inlined. order: before any code here is hot, for it would stay so.
for (const flag of ['--no-opt', '--no-maglev']) setFlagsFromString(flag);

test('nothing is applied before any edge has said so', () => {
  const { acks, join } = world();
  join('p1', 'paris');
  assert.deepEqual([acks.applied('overseas'), acks.applied('global'), acks.failures('rule-1')], [0, 0, []]);
});

test('an area waits for every live edge that serves it, and for no other', () => {
  const { acks, ack, join } = world();
  for (const [edge, site] of [
    ['p1', 'paris'],
    ['p2', 'paris'],
    ['b1', 'beijing'],
    ['x1', 'nowhere'],
  ] as const)
    join(edge, site);
  ack('x1', 'nowhere', 1);
  ack('b1', 'beijing', 3);
  ack('p2', 'paris', 4);
  ack('p1', 'paris', 5);
  const applied = () => [acks.applied('overseas'), acks.applied('mainland'), acks.applied('global')];
  assert.deepEqual(applied(), [4, 3, 3]);
  ack('p2', 'paris', 9);
  assert.deepEqual(applied(), [5, 3, 3]);
});

test('an edge that was not heard of for six seconds holds up nobody', async () => {
  const { acks, ack, join, pass } = world();
  join('p1', 'paris');
  join('p2', 'paris');
  ack('p1', 'paris', 5);
  ack('p2', 'paris', 5, { failed: [{ id: 'rule-1', reason: 'in use' }] });
  ack('p1', 'paris', 8);
  await pass(6_000, 'p1');
  assert.deepEqual([acks.applied('overseas'), acks.failures('rule-1')], [5, ['p2: in use']]);
  await pass(1, 'p1');
  assert.deepEqual([acks.applied('overseas'), acks.failures('rule-1')], [8, []]);
  assert.deepEqual(
    acks.edges().map(({ id, alive }) => [id, alive]),
    [
      ['p1', true],
      ['p2', false],
    ],
  );
});

test('a new edge, or one that comes back, takes nothing back and counts once it has caught up', async () => {
  const { acks, ack, join, pass } = world();
  join('p1', 'paris');
  ack('p1', 'paris', 100);
  assert.equal(acks.applied('overseas'), 100);
  join('p2', 'paris');
  assert.equal(acks.applied('overseas'), 100);
  ack('p2', 'paris', 0, { failed: [{ id: 'rule-1', reason: 'not yet' }] });
  ack('p1', 'paris', 101);
  assert.deepEqual([acks.applied('overseas'), acks.failures('rule-1')], [101, []]);
  ack('p2', 'paris', 101);
  ack('p1', 'paris', 102);
  assert.equal(acks.applied('overseas'), 101);
  await pass(7_000, 'p1');
  assert.equal(acks.applied('overseas'), 102);
  join('p2', 'paris');
  ack('p2', 'paris', 101);
  ack('p1', 'paris', 103);
  assert.equal(acks.applied('overseas'), 103);
});

test('a short silence changes nothing about what waits for an edge', async () => {
  const { acks, ack, join, pass } = world();
  join('p1', 'paris');
  ack('p1', 'paris', 5);
  join('p2', 'paris');
  ack('p2', 'paris', 5);
  ack('p1', 'paris', 7);
  await pass(3_000, 'p1');
  join('p2', 'paris');
  assert.equal(acks.applied('overseas'), 5);
});

test('when every edge is silent, what they said last stays', async () => {
  const { clock, acks, ack, join } = world();
  join('p1', 'paris');
  ack('p1', 'paris', 5, { failed: [{ id: 'rule-1', reason: 'in use' }] });
  assert.equal(acks.presence.isSilent, false);
  await clock.advance(60_000);
  assert.deepEqual([acks.applied('overseas'), acks.failures('rule-1')], [5, ['p1: in use']]);
  assert.equal(acks.presence.isSilent, true);
});

test('edges that go silent together leave what all of them had applied', async () => {
  const { clock, acks, ack } = world();
  ack('p1', 'paris', 5);
  ack('p2', 'paris', 6);
  ack('p3', 'paris', 9);
  await clock.advance(60_000);
  assert.equal(acks.applied('overseas'), 5);
});

test('what this process slept through is nobody’s silence', async () => {
  const clock = new ManualClock();
  let slept = 0;
  const acks = new Acks({
    now: () => clock.now() + slept,
    monotonic: () => clock.monotonic() + slept,
    after: (ms, run) => clock.after(ms, run),
    every: (ms, run) => clock.every(ms, run),
    sleep: (ms, signal) => clock.sleep(ms, signal),
  });
  acks.heard({ edge: 'p1', site: 'paris', version: '1' });
  await clock.advance(4_000);
  slept = 60_000;
  assert.equal(acks.presence.isAlive('p1'), true);
  await clock.advance(1_500);
  assert.equal(acks.presence.isAlive('p1'), false);
});

test('applied never goes back, whatever edges do', async () => {
  const event = fc.record({
    kind: fc.constantFrom('heard', 'ack', 'wait'),
    edge: fc.constantFrom('p1', 'p2', 't1'),
    by: fc.nat(5),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const { clock, acks, ack, join } = world();
      const applied = new Map<string, number>();
      let before = 0;
      for (const { kind, edge, by } of events) {
        const site = edge === 't1' ? 'tokyo' : 'paris';
        if (kind === 'heard') join(edge, site);
        else if (kind === 'wait') await clock.advance(by * 4_000);
        else {
          applied.set(edge, (applied.get(edge) ?? 0) + by);
          ack(edge, site, applied.get(edge) ?? 0);
        }
        const now = acks.applied('overseas');
        assert.ok(now >= before && now <= Math.max(0, ...applied.values()));
        before = now;
      }
    }),
    { numRuns: 50 },
  );
});

test('an older copy of the world: nobody has applied what it has not reached', () => {
  const { acks, ack, join } = world();
  join('p1', 'paris');
  ack('p1', 'paris', 500);
  assert.equal(acks.applied('overseas'), 500);
  acks.reach(400);
  assert.equal(acks.applied('overseas'), 400);
});

test('placements: where, why, and what failed; fresh ones replace', () => {
  const { acks, ack } = world();
  const node = { engine: 'node', why: 'first choice' };
  ack('p1', 'paris', 1, {
    placed: [
      { rule: 'a', ...node },
      { rule: 'b', ...node },
    ],
    failed: [{ id: 'b', reason: 'EACCES' }],
    unresolved: [{ id: 'a', names: ['o.example'] }],
  });
  assert.deepEqual(acks.placements(['a', 'b', 'c']), [
    { rule: 'a', edge: 'p1', ...node, failure: '', unresolved: ['o.example'] },
    { rule: 'b', edge: 'p1', ...node, failure: 'EACCES', unresolved: [] },
  ]);
  ack('p1', 'paris', 2, { placed: [{ rule: 'a', engine: '', why: '' }] });
  ack('p1', 'paris', 3, { placed: [{ rule: 'c', ...node }], fresh: true });
  assert.deepEqual(
    acks.placements(['a', 'b', 'c']).map(({ rule }) => rule),
    ['c'],
  );
});

const wanted = (...ids: string[]) => ({ id: 'sid-1', rules: ids.map((id) => ({ id, want: 'online' }) as L4Rule) });

test('a site serves while one of its edges is alive, and before any was heard of', async () => {
  const { clock, acks, join } = world();
  join('p1', 'paris');
  const serve = () => [acks.presence.serves('paris', wanted()), acks.presence.serves('tokyo', wanted())];
  assert.deepEqual(serve(), [true, true]);
  await clock.advance(6_001);
  assert.deepEqual(serve(), [false, true]);
  join('p1', 'paris');
  assert.deepEqual(serve(), [true, true]);
});

test('a site where an instance failed, or all of its rules, does not serve that one', () => {
  const { acks, ack } = world();
  const failed = (...ids: string[]) => ({ failed: ids.map((id) => ({ id, reason: 'in use' })) });
  const serves = () => acks.presence.serves('paris', wanted('rule-1', 'rule-2'));
  ack('p1', 'paris', 1, failed('rule-1'));
  assert.equal(serves(), true);
  ack('p1', 'paris', 1, failed('rule-1', 'rule-2'));
  assert.equal(serves(), false);
  assert.equal(acks.presence.serves('paris', { ...wanted(), id: 'sid-2' }), true);
  ack('p1', 'paris', 1, failed('sid-1'));
  assert.equal(serves(), false);
  ack('p2', 'paris', 1);
  assert.equal(serves(), true);
});

test('an address is lost when no edge of its site has it: of the live ones, or of all where none is alive', async () => {
  const { acks, ack, pass } = world();
  const lost = (...addresses: string[]) => ({ lost: addresses });
  const isLost = () => ['192.0.2.1', '192.0.2.2'].map((address) => acks.presence.isLost('paris', address));
  assert.deepEqual(isLost(), [false, false]);
  ack('p1', 'paris', 1, lost('192.0.2.1', '192.0.2.2'));
  ack('p2', 'paris', 1, lost('192.0.2.2'));
  assert.deepEqual(isLost(), [false, true]);
  await pass(7_000, 'p1');
  assert.deepEqual(isLost(), [true, true]);
  await pass(7_000);
  assert.deepEqual(isLost(), [false, true]);
  ack('p2', 'paris', 1);
  assert.deepEqual(isLost(), [false, false]);
});

test('a report costs the same at 100 and at 10,000 edges', async () => {
  using counter = await openBlockCounter([
    'acks.ts',
    'edge-state.ts',
    'failures.ts',
    'floors.ts',
    'least.ts',
    'listening.ts',
    'presence.ts',
  ]);
  const costs: number[] = [];
  // The first round counts for nothing: V8 counts some functions only from their first few calls on.
  for (const edges of [100, 100, 10_000]) {
    const { acks, ack } = world();
    const more = (n: number) => (n % 10 === 0 ? { failed: [{ id: 'rule-1', reason: 'in use' }] } : {});
    const report = (n: number, applied: number) => ack(`e${n}`, n % 2 === 0 ? 'paris' : 'tokyo', applied, more(n));
    for (let n = 0; n < edges; n++) report(n, 7);
    await counter.take();
    // One that hangs behind, and others on their way to the next revision.
    for (let n = 0; n < 40; n++) report(n, n === 0 ? 7 : 8);
    for (let n = 0; n < 40; n++) assert.equal(acks.applied('global'), 7);
    for (let n = 0; n < 40; n++) assert.deepEqual(acks.failures('rule-9'), []);
    for (let n = 0; n < 40; n++) assert.equal(acks.presence.serves('paris', wanted('rule-2')), true);
    costs.push(await counter.take());
  }
  const [, few = 0, many = 0] = costs;
  assert.ok(few > 1_000);
  assert.equal(few, many);
});

/** How many pieces of the code in these files of this folder have run since the last `take`, as V8 counts them. */
async function openBlockCounter(files: readonly string[]) {
  const urls = new Set(files.map((file) => new URL(file, import.meta.url).href));
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return {
    async take(): Promise<number> {
      const { result } = await session.post('Profiler.takePreciseCoverage');
      const functions = result.filter(({ url }) => urls.has(url)).flatMap((script) => script.functions);
      return functions.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
    },
    [Symbol.dispose]: () => session.disconnect(),
  };
}
