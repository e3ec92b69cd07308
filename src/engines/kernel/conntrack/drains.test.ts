import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, target } from '../../../../test/suites/engine/listener.ts';
import type { OriginState } from '../../../domain/fact/health.ts';
import type { Listener, Target } from '../../engine.ts';
import { TargetStates } from '../../flow/target-states.ts';
import { createDrains, stays } from './drains.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { emptyRules } from '../testdata/rule-set.ts';
import { flow } from '../testdata/flow.ts';
import { RULES } from '../testdata/rules.ts';

function desk(listener: Listener = RULES.one) {
  const rule = emptyRules().take(listener.id, listener.proxy);
  assert.ok(rule);
  rule.listener = listener;
  rule.isUp = true;
  const ended: Flow[] = [];
  const desk = { now: 0, ended, rule };
  const states = new TargetStates();
  const end = (flows: readonly Flow[]): void => void ended.push(...flows);
  const clock = { now: () => 1_000_000 + desk.now, monotonic: () => desk.now };
  return Object.assign(desk, { states, drains: createDrains({ clock, states, end }) });
}

test("a connection stays while its entry and its origin are the rule's", () => {
  const { rule } = desk();
  const one = flow();
  const to = (address: string, port: number) => ({ ...one, reply: { ...one.reply, source: { address, port } } });
  assert.ok(stays(one, rule));
  assert.ok(!stays(to('10.0.0.2', 8080), rule));
  assert.ok(!stays(to('10.0.0.1', 8081), rule));
  assert.ok(!stays({ ...one, protocol: 17 }, rule));
  const at = (address: string, port: number) => ({
    ...one,
    original: { ...one.original, destination: { address, port } },
  });
  assert.ok(!stays(at('192.0.2.2', 80), rule));
  assert.ok(!stays(at('192.0.2.1', 81), rule));
  assert.ok(!stays(one, { ...rule, isUp: false }));
  // Weight 0 takes no new connections, and keeps those it has.
  assert.ok(stays(one, { ...rule, listener: { ...RULES.one, targets: [target('10.0.0.1', 0)] } }));
});

for (const [how, seconds, until] of [
  ['keep', 0, Infinity],
  ['drain', 5, 5000],
  ['reset', 5, 0],
] as const) {
  test(`without a place, "${how}" ends it ${until === Infinity ? 'never' : `after ${until} ms`}`, () => {
    const world = desk({ ...RULES.one, targets: [], options: options({ drain: { how, seconds } }) });
    const one = flow();
    world.drains.judge(world.rule, [one]);
    for (const now of [0, 4999, 5000, 90_000]) {
      world.now = now;
      world.drains.endDue(world.rule, [one]);
      assert.equal(world.ended.length > 0, now >= until, `at ${now}`);
    }
    assert.ok(world.ended.length <= 1);
  });
}

test('UDP goes at once, what is over is left alone', () => {
  const world = desk({ ...RULES.udp, targets: [] });
  const udp = flow({ protocol: 17 });
  world.drains.judge(world.rule, [udp, flow({ state: 7 })]);
  assert.deepEqual(world.ended, [udp]);
});

test('a drain that has begun keeps its end through more changes, and is called off by the way back', () => {
  const world = desk({ ...RULES.one, targets: [], options: options({ drain: { how: 'drain', seconds: 5 } }) });
  const one = flow();
  world.drains.judge(world.rule, [one]);
  world.now = 4000;
  world.drains.judge(world.rule, [one]);
  assert.deepEqual([...world.drains.deadlines(world.rule)], [[one.id, 5000]]);
  world.rule.listener = RULES.one;
  world.drains.judge(world.rule, [one]);
  world.now = 9000;
  world.drains.endDue(world.rule, [one]);
  assert.deepEqual(world.ended, []);
});

test('one that ended by itself is forgotten', () => {
  const world = desk({ ...RULES.one, targets: [] });
  world.drains.judge(world.rule, [flow(), flow()]);
  assert.equal(world.drains.deadlines(world.rule).size, 2);
  world.drains.endDue(world.rule, []);
  assert.equal(world.drains.deadlines(world.rule).size, 0);
});

test('C6: to a target that its name no longer says TCP stays, and UDP as long as it is answered or silent', () => {
  const left = { ...target('10.0.0.1', 0), left: true } as const;
  const targets = [left, target('10.0.0.2')];
  const tcp = desk({ ...RULES.one, targets });
  tcp.drains.judge(tcp.rule, [flow()]);
  assert.deepEqual([tcp.drains.deadlines(tcp.rule).size, tcp.ended], [0, []]);
  const world = desk({ ...RULES.udp, originPorts: { from: 8080, to: 8080 }, ports: [{ from: 80, to: 80 }], targets });
  const first = flow({ protocol: 17 });
  const look = (now: number, packetsIn: number, packetsOut: number): Flow[] => {
    world.now = now;
    world.drains.endDue(world.rule, [{ ...first, packetsIn, packetsOut }]);
    return world.ended;
  };
  world.drains.judge(world.rule, [first]);
  assert.deepEqual(
    [look(9_999, 50, 20), look(10_000, 50, 21), look(20_000, 50, 21), look(29_999, 60, 21)],
    [[], [], [], []],
  );
  // Another change looks again, and gives it no new time.
  world.drains.judge(world.rule, [{ ...first, packetsIn: 60, packetsOut: 21 }]);
  assert.equal(look(30_000, 60, 21).length, 1);
});

test('an answered connection whose target is down ends in its time, where one of its family is up', () => {
  const care = options({ unhealthy: 'drain', drain: { how: 'keep', seconds: 5 } });
  const targets = [target('10.0.0.1'), target('2001:db8::1'), target('10.0.0.9', 0)];
  const world = desk({ ...RULES.one, targets, options: care });
  const say = (address: string, state: OriginState): void =>
    world.states.set({ target: target(address).number, state }, world.now);
  const [old, recent, unanswered, over] = [
    flow({ startedAt: 999_000 }),
    flow({ startedAt: 1_002_000 }),
    flow({ status: 0 }),
    flow({ state: 7 }),
  ];
  const all = [old, recent, unanswered, over];
  const judge = (...targets: Target[]): [number, number][] => {
    world.rule.listener = { ...RULES.one, targets, options: care };
    world.drains.judge(world.rule, all);
    return [...world.drains.deadlines(world.rule)];
  };
  world.now = 1_000;
  say('10.0.0.1', 'down');
  world.now = 2_000;
  assert.deepEqual(judge(...targets), []);
  assert.deepEqual(judge(...targets, target('10.0.0.2')), [
    [old.id, 6_000],
    [recent.id, 7_000],
  ]);
  world.now = 6_000;
  say('10.0.0.1', 'try');
  world.drains.endDue(world.rule, all);
  assert.deepEqual(world.ended, []);
  say('10.0.0.1', 'down');
  world.drains.endDue(world.rule, all);
  assert.deepEqual(world.ended, [old]);
  say('10.0.0.2', 'down');
  assert.deepEqual(judge(...targets, target('10.0.0.2')), []);
  world.now = 90_000;
  world.drains.endDue(world.rule, all);
  assert.deepEqual(world.ended, [old]);
});
