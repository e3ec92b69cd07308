/** Trials of health that other proxies have failed: checks of forty groups, what is down when everything is, clients that persist. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OriginState } from '../../src/domain/fact/health.ts';
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { UNCHECKED } from '../../src/edge/health/check-verdict.ts';
import { Checks } from '../../src/edge/health/checks.ts';
import { Others } from '../../src/edge/health/others.ts';
import { OriginHealth } from '../../src/edge/health/origin-health.ts';
import { checkRule, type Run } from '../../src/edge/health/schedule.ts';
import { TargetStates } from '../../src/engines/flow/target-states.ts';
import { RuleTargets } from '../../src/engines/node/targets.ts';
import { listener } from '../suites/engine/listener.ts';
import { ManualClock } from '../world/manual-clock.ts';

const PORT = 1;

test('T16: forty groups on the same two machines, every other one checked: exactly what a check finds ill is down', async () => {
  const clock = new ManualClock();
  const health = new OriginHealth();
  const machines = ['192.0.2.1', '192.0.2.2'];
  /** Groups that are ill at the second machine. */
  let ill = new Set<number>();
  const FIRST_PORT = 8_000;
  const run: Run = async (address, checker) => {
    const group = 'port' in checker ? checker.port - FIRST_PORT : -1;
    const isIll = address === machines[1] && ill.has(group);
    return { verdict: isIll ? 'unhealthy' : 'healthy', reason: '' };
  };
  const checks = new Checks(clock, run, new Others('e1', clock));
  const states = new Map<number, OriginState>();
  checks.results.listen(({ targets, result }) => {
    for (const target of targets)
      for (const { state } of health.probe(target, result, clock.monotonic())) states.set(target, state);
  });
  const groups = Array.from({ length: 40 }, (_, group) => group);
  for (const group of groups)
    for (const [i, address] of machines.entries()) {
      const number = 2 * group + i;
      const times = { intervalSeconds: 10, timeoutSeconds: 2, rise: 2, fall: 2 };
      const checker: Checker = { type: 'TCP', port: FIRST_PORT + group, ...times };
      const check = group % 2 === 1 ? { owner: `og-${group}`, checker } : undefined;
      const key = `${group} ${address}`;
      health.use({ target: number, name: key, check: check && checkRule(checker) }, clock.monotonic());
      const names = { key, origin: key, zone: 'zone-a', host: address, address, group: `og-${group}` };
      const how = { check, passive: true, slowStartSeconds: 0, rules: new Set(['rule-1']) };
      checks.ask({ number, ...names, ...how }, UNCHECKED);
    }
  const down = (): number[] => [...states].flatMap(([number, state]) => (state === 'down' ? [number] : []));
  for (const some of [[1, 5, 9], groups, [], [39], [2, 4]]) {
    ill = new Set(some);
    // The longest: a flap asks for eight times the good results.
    await clock.advance(8 * 2 * 10_000 + 30_000);
    const expected = some.filter((group) => group % 2 === 1).map((group) => 2 * group + 1);
    assert.deepEqual(
      down().toSorted((a, b) => a - b),
      expected,
    );
  }
  checks.close();
});

/** A rule on so many targets, and the node engine's choice among them. */
function choosing(weights: readonly number[], persistSeconds: number) {
  let now = 0;
  const states = new TargetStates();
  const targets = weights.map((weight, number) => ({ number, address: `192.0.2.${number}`, weight, tier: 0 }));
  const rule = new RuleTargets(listener({ targets, persistSeconds }), states, () => now);
  return {
    say: (state: OriginState, ...numbers: readonly number[]) => {
      for (const target of numbers) states.set({ target, state }, now);
    },
    pass: (ms: number) => void (now += ms),
    /** The client connects, and its connection is made. */
    connect: (client: string): number => {
      const target = rule.choose(client, PORT) ?? assert.fail('nowhere to go');
      rule.settle(client, target.address);
      return target.number;
    },
  };
}

function spread(counts: Iterable<number>): Map<number, number> {
  const all = new Map<number, number>();
  for (const number of counts) all.set(number, (all.get(number) ?? 0) + 1);
  return all;
}

test('T19: all down, and each origin has its share, whatever states it had before', () => {
  const weights = [1, 2, 3, 4, 10];
  const { say, connect } = choosing(weights, 0);
  say('down', 1, 3);
  for (let i = 0; i < 7; i++) connect('c');
  say('down', 0, 2, 4);
  const TURNS = 2_000;
  const counts = spread(Array.from({ length: TURNS }, () => connect('c')));
  for (const [number, weight] of weights.entries()) {
    const share = (TURNS * weight) / 20;
    assert.ok(Math.abs((counts.get(number) ?? 0) - share) <= share * 0.05, `${number}: ${counts.get(number)}`);
  }
});

test('T19: one origin of six comes and goes for a minute: no client of the others is moved', () => {
  const { say, connect, pass } = choosing([1, 1, 1, 1, 1, 1], 300);
  const clients = Array.from({ length: 600 }, (_, i) => `client-${i}`);
  let homes = clients.map((client) => connect(client));
  const moved = { others: 0, flapper: 0 };
  for (let second = 0; second < 60; second++) {
    say(second % 2 === 0 ? 'down' : 'up', 5);
    const now = clients.map((client) => connect(client));
    for (const [i, home] of now.entries()) if (home !== homes[i]) moved[homes[i] === 5 ? 'flapper' : 'others']++;
    homes = now;
    pass(1_000);
  }
  assert.deepEqual(moved, { others: 0, flapper: 100 });
});

test('T11: one of ten leaves, and at most 12 % of persistent clients move, evenly; none moves when it returns', () => {
  const { say, connect, pass } = choosing(
    Array.from({ length: 10 }, () => 1),
    300,
  );
  const clients = Array.from({ length: 10_000 }, (_, i) => `client-${i}`);
  const before = clients.map((client) => connect(client));
  say('down', 3);
  pass(1_000);
  const after = clients.map((client) => connect(client));
  const moved = clients.flatMap((_, i) => (after[i] === before[i] ? [] : [i]));
  assert.ok(moved.length <= clients.length * 0.12, `${moved.length} moved`);
  assert.ok(moved.every((i) => before[i] === 3));
  const loads = [...spread(after).values()];
  assert.ok(Math.max(...loads) / Math.min(...loads) <= 1.25);
  say('up', 3);
  pass(1_000);
  assert.deepEqual(
    clients.map((client) => connect(client)),
    after,
  );
  // Once its time has run out, a client is no one's.
  pass(301_000);
  assert.equal(spread(clients.map((client) => connect(client))).get(3), 1_000);
});
