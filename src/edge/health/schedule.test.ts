import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { ProbeResult } from '../../domain/fact/health.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import { checkRule, ProbeSchedule } from './schedule.ts';

const CHECKER: Checker = { type: 'TCP', port: 80, intervalSeconds: 10, timeoutSeconds: 5, rise: 3, fall: 3 };
const GOOD: ProbeResult = { verdict: 'healthy', reason: '' };
const BAD: ProbeResult = { verdict: 'unhealthy', reason: '' };

function scheduled(answer: (address: string, ms: number) => Promise<ProbeResult> | ProbeResult = () => GOOD) {
  const clock = new ManualClock();
  const starts: { address: string; ms: number }[] = [];
  const told: { key: string; result: ProbeResult; ms: number; lagMs: number }[] = [];
  const schedule = new ProbeSchedule(clock, async (address) => {
    const ms = clock.monotonic();
    starts.push({ address, ms });
    return answer(address, ms);
  });
  schedule.results.listen((checked) => told.push(checked));
  return {
    clock,
    schedule,
    /** The key is the address. */
    ask: (address: string, checker: Checker = CHECKER) => schedule.ask(address, address, checker),
    starts,
    told,
    startsOf: (address: string) => starts.filter((one) => one.address === address).map(({ ms }) => ms),
  };
}

const gaps = (times: readonly number[]): number[] => times.slice(1).map((time, i) => time - (times[i] ?? 0));

test('the first probe comes at once, the following ones an interval apart', async () => {
  const { ask, clock, schedule, startsOf } = scheduled();
  ask('192.0.2.1');
  await clock.advance(100_000);
  const times = startsOf('192.0.2.1');
  assert.equal(times[0], 50);
  assert.ok(times.length >= 10 && times.length <= 11);
  const [second, ...others] = gaps(times);
  assert.ok((second ?? 0) > 0 && (second ?? 0) <= 10_000);
  assert.deepEqual([...new Set(others)], [10_000]);
  schedule.close();
  assert.equal(clock.waiting, 0);
});

test('checks that came together do not stay together', async () => {
  const { ask, clock, schedule, starts } = scheduled();
  for (let i = 0; i < 1_000; i++) ask(`192.0.2.${i}`);
  await clock.advance(20_000);
  // First probes: as many as may begin in a slot. Then each second has its share, and no slot many.
  const slots = Map.groupBy(starts, ({ ms }) => ms);
  assert.deepEqual(
    [...slots.values()].slice(0, 10).map((all) => all.length >= 100),
    Array.from({ length: 10 }, () => true),
  );
  const seconds = Map.groupBy(
    starts.filter(({ ms }) => ms > 10_000),
    ({ ms }) => Math.floor(ms / 1_000),
  );
  for (const [second, all] of seconds) if (second < 20) assert.ok(all.length > 60 && all.length < 140, `${all.length}`);
  schedule.close();
});

test('a key is probed once however often it asks; one that has left is not, and nothing waits then', async () => {
  const { ask, clock, schedule, starts, told } = scheduled();
  ask('a');
  ask('a');
  ask('b');
  await clock.advance(50);
  assert.deepEqual(
    told.map(({ key }) => key),
    ['a', 'b'],
  );
  schedule.leave('a');
  schedule.leave('c');
  starts.length = 0;
  await clock.advance(20_000);
  assert.deepEqual([...new Set(starts.map(({ address }) => address))], ['b']);
  schedule.leave('b');
  assert.equal(clock.waiting, 0);
});

test('after a failure the tries come faster, until there are enough of them', async () => {
  const { ask, clock, schedule, startsOf } = scheduled((_, ms) => (ms > 30_000 ? BAD : GOOD));
  ask('192.0.2.1');
  await clock.advance(70_000);
  const times = startsOf('192.0.2.1');
  const first = times.findIndex((ms) => ms > 30_000);
  // Three failures, a time-out apart; then its phase again.
  assert.deepEqual(gaps(times.slice(first, first + 3)), [5_000, 5_000]);
  assert.deepEqual([...new Set(gaps(times.slice(first + 3)))], [10_000]);
  schedule.close();
});

test('faster is a second at least and an interval at most', async () => {
  for (const [intervalSeconds, timeoutSeconds, fast] of [
    [60, 0.2, 1_000],
    [60, 3, 3_000],
    [1, 1, 1_000],
  ] as const) {
    const { ask, clock, schedule, startsOf } = scheduled(() => BAD);
    ask('a', { ...CHECKER, intervalSeconds, timeoutSeconds });
    await clock.advance(10_000);
    assert.deepEqual(gaps(startsOf('a')).slice(0, 2), [fast, fast]);
    schedule.close();
  }
});

test('a probe that is slow holds no other up, and is not begun twice', async () => {
  const { ask, clock, schedule, startsOf, told } = scheduled((address) =>
    address === 'slow' ? clock.sleep(35_000).then(() => BAD) : GOOD,
  );
  for (let i = 0; i < 50; i += 2) ask(`a${i}`);
  ask('slow');
  await clock.advance(34_000);
  assert.equal(startsOf('slow').length, 1);
  assert.equal(startsOf('a0').length >= 4, true);
  assert.ok(
    told.every(({ lagMs }) => lagMs <= 50),
    'begun when they were planned',
  );
  await clock.advance(8_000);
  const slow = told.filter(({ result }) => result === BAD);
  assert.deepEqual(
    slow.map(({ key, ms }) => [key, ms]),
    [['slow', 35_000]],
  );
  assert.equal(startsOf('slow').length, 2);
  schedule.close();
});

test('traffic in trouble brings a probe forward, also behind one that is under way', async () => {
  const { ask, clock, schedule, startsOf } = scheduled(() => clock.sleep(500).then(() => GOOD));
  ask('a', { ...CHECKER, intervalSeconds: 600 });
  // The first one is sooner.
  schedule.hasten('a');
  await clock.advance(1_000);
  schedule.hasten('a');
  await clock.advance(5_100);
  assert.deepEqual(startsOf('a'), [50, 6_000]);
  schedule.hasten('a');
  await clock.advance(5_000);
  assert.deepEqual(startsOf('a'), [50, 6_000, 11_000]);
  schedule.hasten('b');
  schedule.close();
});

test('a result that comes when nobody asks any more is not told', async () => {
  const { ask, clock, schedule, told, startsOf } = scheduled(() => clock.sleep(500).then(() => GOOD));
  const checker = { ...CHECKER, intervalSeconds: 600 };
  ask('a', checker);
  await clock.advance(100);
  schedule.leave('a');
  ask('a', checker);
  await clock.advance(600);
  assert.deepEqual([told.length, startsOf('a').length], [1, 2]);
  schedule.close();
  assert.equal(clock.waiting, 0);
});

test('the key of a check: another for each change, and short whatever it contains', () => {
  const keys = [CHECKER, { ...CHECKER, fall: 1 }, { ...CHECKER, expect: 'x'.repeat(500) }].map((one) => checkRule(one));
  assert.equal(new Set(keys.map(({ key }) => key)).size, 3);
  assert.deepEqual(checkRule({ ...CHECKER }), { ...keys[0], intervalMs: 10_000, rise: 3, fall: 3 });
  assert.ok(keys.every(({ key }) => key.length < 40));
});
