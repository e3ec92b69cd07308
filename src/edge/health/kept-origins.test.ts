import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keep, type Moment, readKept } from './kept-origins.ts';
import { OriginHealth } from './origin-health.ts';

const CHECK = { key: 'tcp 80', intervalMs: 10_000, rise: 3, fall: 2 };
const NAMES = ['a', 'b', 'c', 'd'];

function busy(): OriginHealth {
  const health = new OriginHealth();
  NAMES.forEach((name, target) => health.use({ target, name, ...(name !== 'd' && { check: CHECK }) }, 500_000));
  health.probe(0, { verdict: 'unhealthy', reason: 'HTTP 503' }, 510_000);
  health.probe(0, { verdict: 'healthy', reason: 'HTTP 200' }, 520_000);
  health.override(1, { state: 'down', until: 700_000 }, 520_000);
  health.probe(2, { verdict: 'healthy', reason: 'connected' }, 520_000);
  health.outcomes(3, { refused: 3 }, 598_000);
  return health;
}

const written = (health: OriginHealth, at: Moment): unknown => JSON.parse(JSON.stringify(keep(health.all(), at)));

/** As the next process takes it over, with what it tells its engines. */
function restarted(value: unknown, now: Moment) {
  const health = new OriginHealth();
  health.restore(readKept(value, now));
  const told = NAMES.flatMap((name, target) =>
    health.use({ target, name, ...(name !== 'd' && { check: CHECK }) }, now.monotonic),
  );
  return { health, told: told.map(({ name, state, cause }) => `${name} ${state}: ${cause.reason}`) };
}

test('states are kept over a restart: what is down is told before any traffic, counts and times go on', () => {
  const value = written(busy(), { monotonic: 600_000, wall: 1_000_000 });
  // Two seconds later by the wall clock, and a monotonic clock that began anew.
  const { health, told } = restarted(value, { monotonic: 5_000, wall: 1_002_000 });
  assert.deepEqual(told, ['a down: HTTP 503', 'b down: set down by hand', 'd down: 3 dials in a row failed (refused)']);
  assert.equal(health.view(0)?.told.since, 5_000 - 92_000);
  assert.deepEqual(health.probe(0, { verdict: 'healthy', reason: '' }, 6_000), []);
  assert.equal(health.probe(0, { verdict: 'healthy', reason: '' }, 7_000)[0]?.state, 'up', 'one was counted before');
  assert.deepEqual(
    health.probe(2, { verdict: 'unhealthy', reason: '' }, 7_000),
    [],
    'it was checked: one is not enough',
  );
  assert.equal(health.nextDue(), 6_000);
  assert.deepEqual(
    health.due(6_000).map(({ name, state }) => `${name} ${state}`),
    ['d try'],
  );
  assert.deepEqual(
    health.due(103_000).map(({ name, state }) => `${name} ${state}`),
    ['b up', 'd try'],
  );
});

test('a wall clock that was set back ends nothing early, and nothing is in the future', () => {
  const value = written(busy(), { monotonic: 600_000, wall: 1_000_000 });
  const { health } = restarted(value, { monotonic: 5_000, wall: 3 });
  assert.deepEqual([health.view(1)?.override?.until, health.view(3)?.traffic.until], [105_000, 8_000]);
});

test('an origin that nobody uses yet is kept through the next restart too', () => {
  const at = { monotonic: 600_000, wall: 1_000_000 };
  const health = new OriginHealth();
  health.restore(readKept(written(busy(), at), at));
  assert.deepEqual(written(health, at), written(busy(), at));
});

test('an entry that is damaged is left out alone; a file that is, holds nothing', () => {
  const at = { monotonic: 600_000, wall: 1_000_000 };
  const value = written(busy(), at) as { origins: Record<string, unknown>[] };
  const damages: Record<string, unknown>[] = [
    { name: 7 },
    { name: 'x'.repeat(513) },
    { traffic: { phase: 'asleep', since: 0, holds: 0, wells: 0 } },
    { verdict: undefined },
    { verdict: { verdict: 'healthy', isFresh: false, against: 'healthy', run: -1 } },
    { own: { state: 'up', since: 0, riseFactor: 9 } },
    { own: { state: 'up', since: 0, riseFactor: 0 } },
    { told: { state: 'up', since: null, cause: { by: 'probe', reason: '' } } },
    { override: { state: 'try' } },
    { check: { key: 'tcp 80' } },
  ];
  for (const damage of damages) {
    const origins = value.origins.map((origin, i) => (i === 1 ? { ...origin, ...damage } : origin));
    const names = readKept({ ...value, origins }, at).map(({ name }) => name);
    assert.deepEqual(names, ['a', 'c', 'd'], JSON.stringify(damage));
  }
  for (const file of [undefined, null, [], {}, { at }, { at: {}, origins: [] }, { ...value, origins: 'all' }])
    assert.deepEqual(readKept(file, at), []);
});

test('any JSON, and any change of a sound file, is read without a throw into what works', () => {
  const at = { monotonic: 600_000, wall: 1_000_000 };
  const text = JSON.stringify(keep(busy().all(), at));
  const changed = fc.tuple(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 20 })).map(([from, length, put]) => {
    try {
      return JSON.parse(text.slice(0, from) + put + text.slice(from + length)) as unknown;
    } catch {
      return undefined;
    }
  });
  const numbers = fc
    .double({ min: -1e300, max: 1e300, noNaN: true })
    .map((number) => JSON.parse(text.replaceAll(/\d{4,}/g, `${number}`)) as unknown);
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), changed, numbers), (value) => {
      const { health } = restarted(value, at);
      const next = health.nextDue() ?? 0;
      assert.ok(Number.isFinite(next));
      for (let i = 0, due: number | undefined = next; i < 20 && due !== undefined; i++, due = health.nextDue())
        health.due(due);
      health.outcomes(0, { ok: 1 }, next);
      health.probe(0, { verdict: 'healthy', reason: '' }, next);
    }),
    { numRuns: 500 },
  );
});
