import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { ProbeResult } from '../../domain/fact/health.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import type { NumberedOrigin } from '../origins/numbers.ts';
import { UNCHECKED } from './check-verdict.ts';
import { Checks } from './checks.ts';
import { Others } from './others.ts';
import { dutyOf } from './duty.ts';
import { checkRule } from './schedule.ts';

const CHECKER: Checker = { type: 'TCP', port: 80, intervalSeconds: 10, timeoutSeconds: 1, rise: 3, fall: 2 };
const GOOD: ProbeResult = { verdict: 'healthy', reason: 'it takes connections' };
const BAD: ProbeResult = { verdict: 'unhealthy', reason: 'connection refused' };

function origin(number: number, address: string, more: Partial<NumberedOrigin> = {}): NumberedOrigin {
  const names = { key: `${number}`, origin: `TCP ${address}:80`, zone: 'zone-a', host: address, group: 'og-1' };
  const how = { check: { owner: 'lb-1', checker: CHECKER }, passive: true, slowStartSeconds: 0 };
  return { number, address, ...names, ...how, rules: new Set(['rule-1']), ...more };
}

function checking() {
  const clock = new ManualClock();
  const probed: string[] = [];
  const told: string[] = [];
  const ill = new Set<string>();
  const run = async (address: string, checker: Checker) => {
    probed.push('port' in checker ? `${address} ${checker.port}` : address);
    return ill.has(address) ? BAD : GOOD;
  };
  const others = new Others('e1', clock);
  const checks = new Checks(clock, run, others);
  checks.results.listen(({ targets, result }) => told.push(`${targets.join()} ${result.verdict}`));
  const ask = (one: NumberedOrigin): void => checks.ask(one, UNCHECKED);
  const facts = (): string[] =>
    [...checks.keys()].flatMap((key) =>
      checks
        .facts(key)
        .map(({ owner, group, host, address, verdict }) => [owner, group, host, address, verdict].join(' ')),
    );
  const pool = (members: readonly string[], checker = CHECKER): void =>
    checks.pool({
      check: { owner: 'lb-1', checker },
      members: members.map((address) => ({ group: 'og-1', host: address, address })),
    });
  return { checks, clock, others, ask, facts, pool, ill, probed, told };
}

test('one address and one checker are probed once for all who ask, and all are told', async () => {
  const { ask, checks, clock, probed, told } = checking();
  ask(origin(1, '192.0.2.1'));
  ask(origin(2, '192.0.2.1', { check: { owner: 'rule-2', checker: { ...CHECKER } } }));
  ask(origin(2, '192.0.2.1', { check: { owner: 'rule-2', checker: { ...CHECKER } } }));
  ask(origin(3, '192.0.2.1', { check: { owner: 'lb-1', checker: { ...CHECKER, port: 81 } } }));
  await clock.advance(50);
  assert.deepEqual(probed.splice(0), ['192.0.2.1 80', '192.0.2.1 81']);
  assert.deepEqual(told.splice(0), ['1,2 healthy', '3 healthy']);
  for (const number of [1, 3, 9]) checks.leave(number);
  await clock.advance(10_000);
  assert.deepEqual([probed.splice(0), told.splice(0)], [['192.0.2.1 80'], ['2 healthy']]);
  checks.leave(2);
  assert.deepEqual([clock.waiting, [...checks.keys()]], [0, []]);
});

test('one that joins a check hears what is known, at once; nothing, where nothing is', async () => {
  const { ask, checks, clock, ill, told } = checking();
  ill.add('192.0.2.1');
  ask(origin(1, '192.0.2.1'));
  ask(origin(2, '192.0.2.1'));
  assert.deepEqual(told, []);
  await clock.advance(50);
  ask(origin(3, '192.0.2.1'));
  ask(origin(3, '192.0.2.1'));
  assert.deepEqual(told.splice(0), ['1,2 unhealthy', '3 unhealthy']);
  // What it was found over a restart is not found once more.
  checks.ask(origin(4, '192.0.2.1'), { verdict: 'healthy', isFresh: false, against: 'healthy', run: 0 });
  assert.deepEqual(told, []);
  checks.close();
});

test('another check for an origin, in place of the one before; and none', async () => {
  const { ask, clock, probed, told } = checking();
  ask(origin(1, '192.0.2.1'));
  await clock.advance(50);
  ask(origin(1, '192.0.2.1', { check: { owner: 'lb-1', checker: { ...CHECKER, port: 81 } } }));
  await clock.advance(50);
  assert.deepEqual(told.splice(0), ['1 healthy', '1 healthy']);
  probed.length = 0;
  await clock.advance(20_000);
  assert.deepEqual([...new Set(probed)], ['192.0.2.1 81']);
  ask(origin(1, '192.0.2.1', { check: undefined }));
  assert.equal(clock.waiting, 0);
});

test('a verdict is a matter of rise and fall, and is told when it changes, per owner, group and host', async () => {
  const { ask, checks, clock, facts, ill } = checking();
  const changed: string[] = [];
  checks.changed.listen((key) => changed.push(key));
  ask(origin(1, '192.0.2.1', { host: 'a.example' }));
  ask(origin(2, '192.0.2.1', { host: 'a.example' }));
  ask(origin(3, '192.0.2.1', { check: { owner: 'rule-2', checker: CHECKER }, group: '' }));
  changed.length = 0;
  assert.deepEqual(facts(), []);
  await clock.advance(50);
  assert.deepEqual(facts(), ['lb-1 og-1 a.example 192.0.2.1 healthy', 'rule-2  192.0.2.1 192.0.2.1 healthy']);
  assert.deepEqual(changed.splice(0), [...checks.keys()]);
  ill.add('192.0.2.1');
  await clock.advance(12_000);
  assert.deepEqual(
    facts().map((fact) => fact.split(' ').at(-1)),
    ['unhealthy', 'unhealthy'],
  );
  assert.deepEqual(changed.splice(0), [...checks.keys()]);
  ill.clear();
  await clock.advance(20_000);
  assert.match(facts()[0] ?? '', /unhealthy$/);
  await clock.advance(10_000);
  assert.match(facts()[0] ?? '', / healthy$/);
  assert.equal(changed.length, 1);
  checks.leave(1);
  assert.equal(facts().length, 2, 'its fact is that of another one too');
  checks.leave(2);
  assert.deepEqual(facts(), ['rule-2  192.0.2.1 192.0.2.1 healthy']);
  checks.close();
});

test('what was known before a restart stands until as many results say otherwise', async () => {
  const { checks, clock, facts, ill } = checking();
  ill.add('192.0.2.1');
  checks.ask(origin(1, '192.0.2.1'), { verdict: 'healthy', isFresh: false, against: 'healthy', run: 0 });
  await clock.advance(50);
  assert.match(facts()[0] ?? '', / healthy$/);
  await clock.advance(1_050);
  assert.match(facts()[0] ?? '', / unhealthy$/);
  checks.close();
});

test('a pool is asked while no origin of its owner is: not before rules had time to come, without a break after they leave', async () => {
  const { ask, checks, clock, facts, pool, probed } = checking();
  pool(['192.0.2.1', '192.0.2.2']);
  await clock.advance(1_900);
  assert.deepEqual(probed, []);
  await clock.advance(200);
  assert.deepEqual(probed.splice(0), ['192.0.2.1 80', '192.0.2.2 80']);
  assert.equal(facts().length, 2);
  // The rule asks with PROXY; what the pool would ask says nothing of such origins.
  const own = { owner: 'lb-1', checker: { ...CHECKER, proxy: 'PPV2' as const } };
  ask(origin(1, '192.0.2.1', { check: own }));
  assert.deepEqual(facts(), []);
  await clock.advance(20_000);
  assert.deepEqual([...new Set(probed.splice(0))], ['192.0.2.1 80']);
  ask(origin(1, '192.0.2.1'));
  await clock.advance(50);
  const tries = checks.times(1)?.tries;
  probed.length = 0;
  checks.leave(1);
  assert.equal(facts().length, 1, 'the same check goes on');
  await clock.advance(50);
  assert.deepEqual([tries, probed.splice(0)], [1, ['192.0.2.2 80']]);
  pool(['192.0.2.2']);
  assert.equal(facts().length, 1);
  pool([]);
  assert.deepEqual([facts(), clock.waiting], [[], 0]);
});

test('a pool that comes and goes at once asks nothing', async () => {
  const { clock, pool, probed } = checking();
  pool(['192.0.2.1']);
  pool([]);
  assert.equal(clock.waiting, 0);
  await clock.advance(5_000);
  assert.deepEqual(probed, []);
});

test('traffic in trouble brings a probe forward; times of probes are kept', async () => {
  const { ask, checks, clock, probed } = checking();
  ask(origin(1, '192.0.2.1', { check: { owner: 'lb-1', checker: { ...CHECKER, intervalSeconds: 600 } } }));
  await clock.advance(50);
  checks.hasten(1);
  checks.hasten(2);
  await clock.advance(1_050);
  assert.equal(probed.length, 2);
  assert.deepEqual([checks.times(1)?.tries, checks.times(1)?.quantile(0.99), checks.times(2)], [2, 0, undefined]);
  checks.close();
  assert.equal(clock.waiting, 0);
});

test('a check that other edges probe rests, and is probed again where they fall silent', async () => {
  const { ask, checks, clock, others, facts, probed, ill } = checking();
  const key = `192.0.2.1 ${checkRule(CHECKER).key}`;
  const shared: string[] = [];
  checks.shared.listen((news) => {
    for (const { targets, word, isOwn } of news)
      shared.push(`${targets.join()} ${word ? word.verdict : 'no word'}${isOwn ? '' : ' of others alone'}`);
  });
  const list = Array.from({ length: 20 }, (_, n) => `e${n}`);
  assert.ok(!dutyOf('e1', list)(key), 'it is for others to probe');
  ask(origin(1, '192.0.2.1'));
  await clock.advance(50);
  assert.deepEqual([probed.length, facts().length], [1, 1]);
  const verdicts = (sequence: number, verdict: ProbeResult['verdict'], by: 'site' | 'fleet' = 'site') =>
    others.take({
      kind: 'verdicts',
      sequence,
      whole: sequence === 1,
      edges: list,
      checks: [{ check: key, verdict, by }],
    });
  shared.splice(0);
  verdicts(1, 'healthy');
  assert.deepEqual([shared.splice(0), facts()], [['1 healthy of others alone'], []]);
  await clock.advance(60_000);
  assert.equal(probed.length, 1);
  ask(origin(2, '192.0.2.1'));
  verdicts(2, 'unhealthy');
  assert.deepEqual(shared.splice(0), ['2 healthy of others alone', '1,2 unhealthy of others alone']);
  ill.add('192.0.2.1');
  others.disconnected();
  await clock.advance(29_000);
  assert.equal(probed.length, 1);
  await clock.advance(5_000);
  assert.deepEqual([probed.length > 1, facts().length, shared.at(-1)], [true, 1, '1,2 no word']);
  verdicts(3, 'unknown', 'fleet');
  assert.deepEqual([shared.at(-1), facts()], ['1,2 unhealthy of others alone', []]);
  const before = probed.length;
  await clock.advance(29_000);
  assert.equal(probed.length, before);
  await clock.advance(11_000);
  assert.ok(probed.length > before, 'nobody else says anything');
  checks.close();
  others.close();
  assert.equal(clock.waiting, 0);
});
