import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { NO_TIMES, originFact } from '../../../test/world/quiet-health.ts';
import type { CheckFact, HealthReport, OriginFact } from '../../domain/fact/health.ts';
import { EdgeHealth } from '../../facts/health/edge-health.ts';
import { Signal } from '../../lib/signal.ts';
import { decodeHealth, MAX_HEALTH } from '../../link/reports.ts';
import { HealthSender } from './health-sender.ts';

function check(host: string, verdict: CheckFact['verdict'], more: Partial<CheckFact> = {}): CheckFact {
  return { owner: 'lb', group: 'og', host, address: host, check: 'k', verdict, reason: '', ...more };
}

/** Facts that a test changes at will. */
class Book<Key, Fact> {
  readonly changed = new Signal<Key>();
  readonly #facts = new Map<Key, readonly Fact[]>();

  keys(): Iterable<Key> {
    return this.#facts.keys();
  }
  facts(key: Key): readonly Fact[] {
    return this.#facts.get(key) ?? [];
  }
  put(key: Key, ...facts: Fact[]): void {
    if (facts.length > 0) this.#facts.set(key, facts);
    else this.#facts.delete(key);
    this.changed.tell(key);
  }
  /** Without a word. */
  grow(key: Key, fact: Fact): void {
    this.#facts.set(key, [fact]);
  }
}

function sending() {
  const clock = new ManualClock();
  const checks = new Book<string, CheckFact>();
  const origins = new Book<number, OriginFact>();
  const reports: HealthReport[] = [];
  const control = { status: 204, health: new EdgeHealth('e', 's'), wait: Promise.resolve(), posts: 0 };
  const sender = new HealthSender({
    edge: 'e',
    site: 's',
    clock,
    health: { checks, origins, failOpen: () => 1, times: () => NO_TIMES },
    link: {
      async post(path, body) {
        assert.equal(path, '/link/v1/health');
        control.posts += 1;
        await control.wait;
        if (control.status !== 204) return control.status;
        const bytes = Buffer.from(JSON.stringify(body));
        assert.ok(bytes.length <= MAX_HEALTH);
        const report = decodeHealth(bytes);
        assert.ok(!('bad' in report));
        reports.push(report);
        control.health.take(report);
        return 204;
      },
    },
  });
  /** As control has it. */
  const told = () => [
    ...[...control.health.checks()].map(({ host, verdict }) => `${host} ${verdict}`).toSorted(),
    ...[...control.health.origins()].map(({ key, state, dials }) => `${key} ${state} ${dials}`).toSorted(),
  ];
  return { clock, checks, origins, reports, control, sender, told };
}

test('everything is told on a new stream, and then what changes, together and soon', async () => {
  const { clock, checks, origins, reports, sender, told } = sending();
  checks.put('a', check('a', 'healthy'), check('a', 'healthy', { owner: 'rule-1' }));
  origins.put(1, originFact('a'));
  await clock.advance(1_000);
  assert.equal(reports.length, 0);
  sender.open();
  await clock.advance(0);
  assert.deepEqual([reports.length, reports[0]?.whole], [1, { part: 0, isLast: true }]);
  for (const verdict of ['unhealthy', 'healthy', 'unhealthy'] as const) checks.put('a', check('a', verdict));
  origins.put(1, originFact('a', { state: 'down' }));
  origins.put(2, originFact('b'));
  await clock.advance(100);
  assert.deepEqual([reports.length, reports[1]?.whole, reports[1]?.failOpen], [2, undefined, 1]);
  assert.deepEqual(reports[1]?.gone, {
    checks: [{ owner: 'rule-1', group: 'og', host: 'a', address: 'a', check: 'k' }],
    origins: [],
  });
  assert.deepEqual(told(), ['a unhealthy', 'a down 0', 'b up 0']);
  checks.put('a');
  origins.put(2);
  await clock.advance(100);
  assert.deepEqual(told(), ['a down 0']);
});

test('a word that changes nothing sends nothing', async () => {
  const { clock, checks, reports, sender } = sending();
  checks.put('a', check('a', 'healthy'));
  sender.open();
  await clock.advance(100);
  checks.put('a', check('a', 'healthy'));
  await clock.advance(1_000);
  assert.equal(reports.length, 1);
});

test('a report that was not taken is told again, with what changed meanwhile', async () => {
  const { clock, checks, control, sender, told } = sending();
  checks.put('a', check('a', 'healthy'));
  sender.open();
  await clock.advance(100);
  control.status = 503;
  checks.put('a', check('a', 'unhealthy'));
  await clock.advance(1_000);
  assert.ok(control.posts >= 4 && control.posts <= 6, `${control.posts}`);
  checks.put('b', check('b', 'healthy'));
  control.status = 204;
  await clock.advance(500);
  assert.deepEqual(told(), ['a unhealthy', 'b healthy']);
});

test('a change while its report is on its way is not lost, and neither is anything where a new stream begins then', async () => {
  const { clock, checks, control, sender, told } = sending();
  checks.put('a', check('a', 'healthy'));
  sender.open();
  await clock.advance(100);
  const first = Promise.withResolvers<void>();
  control.wait = first.promise;
  checks.put('a', check('a', 'unhealthy'));
  await clock.advance(100);
  checks.put('a', check('a', 'unknown'));
  control.wait = Promise.resolve();
  first.resolve();
  await clock.advance(100);
  assert.deepEqual(told(), ['a unknown']);
  const second = Promise.withResolvers<void>();
  control.wait = second.promise;
  checks.put('b', check('b', 'healthy'));
  await clock.advance(100);
  // Another control, which knows nothing, answers what the first one was told.
  sender.close();
  control.health = new EdgeHealth('e', 's');
  sender.open();
  control.wait = Promise.resolve();
  second.resolve();
  await clock.advance(100);
  assert.deepEqual(told(), ['a unknown', 'b healthy']);
});

test('an older control is asked once per stream', async () => {
  const { clock, checks, control, sender } = sending();
  control.status = 404;
  checks.put('a', check('a', 'healthy'));
  sender.open();
  for (const verdict of ['unhealthy', 'healthy'] as const) {
    await clock.advance(1_000);
    checks.put('a', check('a', verdict));
  }
  await clock.advance(60_000);
  assert.equal(control.posts, 1);
  sender.open();
  await clock.advance(100);
  assert.equal(control.posts, 2);
  sender.stop();
  assert.equal(clock.waiting, 0);
});

test('numbers that grow are told every 30 seconds, of so many origins at once', async () => {
  const { clock, origins, reports, sender, told } = sending();
  for (let n = 0; n < 3_000; n++) origins.put(n, originFact(`${n}`));
  sender.open();
  await clock.advance(1_000);
  const before = reports.length;
  for (let n = 0; n < 3_000; n++) origins.grow(n, originFact(`${n}`, { dials: 7 }));
  await clock.advance(28_000);
  assert.equal(reports.length, before);
  await clock.advance(3_000);
  const grown = () => told().filter((line) => line.endsWith('7')).length;
  assert.equal(grown(), 2_000);
  await clock.advance(30_000);
  assert.equal(grown(), 3_000);
  const times = reports.length;
  await clock.advance(30_000);
  assert.equal(reports.length, times + 1, 'times alone');
});

test('ten thousand origins, and one that ten thousand rules have checked, go in parts of bounded size', async () => {
  const { clock, checks, origins, reports, sender, control } = sending();
  const reason = 'x'.repeat(2_000);
  for (let n = 0; n < 10_000; n++) origins.put(n, originFact(`${n}`, { reason, host: `origin-${n}.example.com` }));
  checks.put('a', ...Array.from({ length: 10_000 }, (_, n) => check('a', 'unhealthy', { owner: `rule-${n}` })));
  sender.open();
  await clock.advance(1_000);
  assert.deepEqual([[...control.health.checks()].length, [...control.health.origins()].length], [10_000, 10_000]);
  const sizes = reports.map((report) => JSON.stringify(report).length);
  assert.ok(Math.max(...sizes) < 300 * 1024, `${Math.max(...sizes)}`);
  assert.ok(reports.length < 120, `${reports.length} parts`);
  assert.deepEqual(
    reports.map(({ whole }) => whole?.part),
    reports.map((_, i) => i),
  );
  assert.equal(reports.filter(({ whole }) => whole?.isLast).length, 1);
});
