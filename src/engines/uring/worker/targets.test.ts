import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, workerRule } from '../../../../test/suites/engine/listener.ts';
import { REST_MS } from '../../flow/behaviour.ts';
import { TargetStates } from '../../flow/target-states.ts';
import { NEVER } from '../../flow/verdict.ts';
import { newRow } from './counters.ts';
import type { RuleSpec, TargetSpec } from './messages.ts';
import { persistenceMemory } from './persistence.ts';
import { RuleTargets } from './targets.ts';

const CLIENT = Uint8Array.of(10, 0, 0, 1);
const PORT = 443;

const target = (number: number, change: Partial<TargetSpec> = {}): TargetSpec => ({
  number,
  address: `192.0.2.${number}`,
  weight: 1,
  ...change,
});

function spec(targets: readonly TargetSpec[], change: Partial<RuleSpec> = {}): RuleSpec {
  return workerRule('192.0.2.1', [], newRow(), {
    targets,
    turns: [Uint16Array.from(targets, (_, position) => position)],
    ...change,
  });
}

function targetsOf(first: RuleSpec): {
  targets: RuleTargets;
  states: TargetStates;
  choose: (now: number, tried?: Set<number>) => number;
} {
  const states = new TargetStates();
  const targets = new RuleTargets(first, states);
  targets.update(first);
  return { targets, states, choose: (now, tried) => targets.choose(CLIENT, 0, 4, now, PORT, tried) };
}

test('targets are chosen in turn; without any there is none', () => {
  const { choose } = targetsOf(spec([target(1), target(2)]));
  assert.deepEqual([choose(0), choose(0), choose(0)], [0, 1, 0]);
  assert.equal(targetsOf(spec([])).choose(0), -1);
});

test('one that failed this client, or is barred at this port, is passed over', () => {
  const barred = { cause: 'loop', ports: [{ from: PORT, to: PORT }] } as const;
  const { targets, choose } = targetsOf(spec([target(1), target(2, { barred }), target(3)]));
  assert.deepEqual(
    [1, 2, 3, 4].map(() => choose(0)).toSorted((a, b) => a - b),
    [0, 0, 2, 2],
  );
  assert.equal(choose(0, new Set([1])), 2);
  assert.equal(choose(0, new Set([1, 3])), -1);
  assert.equal(targets.whyNone, 'loop');
});

test('one that rests takes a client only where no other one can, and for its time only', () => {
  const { targets, choose } = targetsOf(spec([target(1), target(2)]));
  targets.rest(1, 1000);
  assert.deepEqual([choose(1000), choose(1000 + REST_MS - 1)], [1, 1]);
  targets.rest(2, 1000);
  assert.ok(choose(1000) >= 0, 'all of them rest');
  const later = 1000 + REST_MS;
  assert.deepEqual(
    [choose(later), choose(later)].toSorted((a, b) => a - b),
    [0, 1],
  );
});

test('a rest goes on through a change, wherever its target is in the new list', () => {
  const { targets, choose } = targetsOf(spec([target(1), target(2)]));
  targets.rest(2, 1000);
  targets.update(spec([target(2), target(3)]));
  assert.deepEqual([choose(1000), choose(1000)], [1, 1]);
});

test('a client keeps its target as long as that takes new sessions', () => {
  const persistence = persistenceMemory();
  const kept = { persistence, persistSeconds: 60 };
  const { targets, choose } = targetsOf(spec([target(1), target(2)], kept));
  targets.persistence?.remember(CLIENT, 0, 4, 2, 0);
  assert.deepEqual([choose(0), choose(0)], [1, 1]);
  assert.equal(choose(0, new Set([2])), 0);
  targets.update(spec([target(1), target(2, { weight: 0 })], { ...kept, turns: [Uint16Array.of(0)] }));
  assert.equal(choose(0), 0);
  targets.update(spec([target(1)], kept));
  assert.equal(choose(0), 0);
});

test('another target is one that takes new sessions', () => {
  const { targets } = targetsOf(spec([target(1), target(2)]));
  assert.ok(targets.hasOther(1, PORT, 0));
  targets.rest(2, 0);
  assert.ok(!targets.hasOther(1, PORT, 0) && targets.hasOther(2, PORT, 0));
  targets.update(spec([target(1), target(3, { weight: 0 })]));
  assert.ok(!targets.hasOther(1, PORT, 0));
});

test('a target is said to have left only while the rule has it', () => {
  const { targets } = targetsOf(spec([target(1, { weight: 0, left: true }), target(2)]));
  assert.deepEqual([targets.hasLeft(1), targets.hasLeft(2), targets.hasLeft(3)], [true, false, false]);
});

test('one that is down takes a client only where all are; of one to try, one', () => {
  const { states, choose } = targetsOf(spec([target(1), target(2), target(3)]));
  states.set({ target: 1, state: 'down' }, 0);
  const four = [1, 2, 3, 4].map(() => choose(0));
  assert.deepEqual(
    four.toSorted((a, b) => a - b),
    [1, 1, 2, 2],
  );
  states.set({ target: 2, state: 'down' }, 0);
  states.set({ target: 3, state: 'try' }, 0);
  assert.equal(choose(0), 2);
  const all = Array.from({ length: 9 }, () => choose(0));
  assert.deepEqual(
    all.toSorted((a, b) => a - b),
    [0, 0, 0, 1, 1, 1, 2, 2, 2],
  );
  states.set({ target: 2, state: 'up' }, 0);
  assert.deepEqual([choose(0), choose(0)], [1, 1]);
});

test('a client is not kept by a target that is down, and is by one that takes its try', () => {
  const kept = { persistence: persistenceMemory(), persistSeconds: 60 };
  const { targets, states, choose } = targetsOf(spec([target(1), target(2)], kept));
  targets.persistence?.remember(CLIENT, 0, 4, 2, 0);
  states.set({ target: 2, state: 'down' }, 0);
  assert.deepEqual([choose(0), choose(0)], [0, 0]);
  states.set({ target: 2, state: 'try' }, 0);
  assert.deepEqual([choose(0), choose(0)], [1, 0]);
  states.set({ target: 1, state: 'down' }, 0);
  assert.deepEqual([choose(0), choose(0)], [1, 1], 'where all are down, as if all were up');
});

test('a client that one target has failed gets one that is down where no other is left', () => {
  const { states, choose } = targetsOf(spec([target(1), target(2), target(3)]));
  states.set({ target: 2, state: 'down' }, 0);
  assert.equal(choose(0, new Set([1])), 2);
  assert.equal(choose(0, new Set([1, 3])), 1);
  assert.equal(choose(0, new Set([1, 2, 3])), -1);
});

test('a session leaves a target that is down for one that is up, and stays where none is', () => {
  const { targets, states } = targetsOf(spec([target(1), target(2), target(3, { weight: 0 })]));
  const leaves = (...numbers: number[]): boolean[] => numbers.map((number) => targets.mustLeave(number, PORT, 0));
  states.set({ target: 1, state: 'down' }, 0);
  assert.deepEqual(leaves(1, 2, 3), [true, false, false]);
  targets.rest(2, 0);
  assert.deepEqual(leaves(1), [false]);
  assert.equal(targets.mustLeave(1, PORT, REST_MS), true);
  states.set({ target: 2, state: 'try' }, 0);
  assert.equal(targets.mustLeave(1, PORT, REST_MS), false);
  states.set({ target: 2, state: 'down' }, 0);
  assert.equal(targets.mustLeave(1, PORT, REST_MS), false);
  // As if all were up: one that refuses has another one still.
  assert.ok(targets.hasOther(1, PORT, REST_MS));
});

test('one that starts slowly is chosen as if it weighed less, and keeps the clients that it had', () => {
  const kept = { persistence: persistenceMemory(), persistSeconds: 60 };
  const { targets, states, choose } = targetsOf(spec([target(1), target(2)], kept));
  const share = (count: number): number =>
    Array.from({ length: count }, () => choose(0)).filter((at) => at === 0).length;
  states.set({ target: 1, state: 'up', share: 64 }, 0);
  assert.equal(share(20), 4);
  assert.equal(choose(0, new Set([2])), 0);
  states.set({ target: 2, state: 'down' }, 0);
  assert.equal(share(5), 5);
  states.set({ target: 2, state: 'up', share: 1 }, 0);
  assert.equal(share(20), 10);
  targets.persistence?.remember(CLIENT, 0, 4, 1, 0);
  states.set({ target: 1, state: 'up', share: 1 }, 0);
  assert.equal(share(5), 5);
});

test('a connection leaves a target that is down, in its time, where one that is up takes new ones at its port', () => {
  const barred = { cause: 'loop', ports: [{ from: PORT, to: PORT }] } as const;
  const { targets, states } = targetsOf(
    spec([target(1), target(2, { weight: 0 }), target(3, { barred })], {
      options: options({ unhealthy: 'drain', drain: { how: 'reset', seconds: 5 } }),
    }),
  );
  const at = (port: number, startedAt = 0): number => targets.leavesAt(1, port, startedAt);
  assert.equal(at(PORT + 1), NEVER);
  states.set({ target: 1, state: 'down' }, 1_000);
  assert.deepEqual([at(PORT), at(PORT + 1), at(PORT + 1, 2_000)], [NEVER, 6_000, 7_000]);
  states.set({ target: 3, state: 'try' }, 1_000);
  assert.equal(at(PORT + 1), NEVER);
  states.set({ target: 3, state: 'up' }, 1_000);
  targets.update(spec([target(2), target(3)], { options: options({ unhealthy: 'reset' }) }));
  assert.equal(at(PORT + 1), NEVER, 'the rule has it no more');
});

test('with failover `tier` a client that a target has failed gets one of another tier, up before down', () => {
  const turns = [Uint16Array.of(0, 1), Uint16Array.of(2), Uint16Array.of(3)];
  const all = [target(1), target(2), target(3), target(4)];
  const { states, choose, targets } = targetsOf(spec(all, { turns, failover: 'tier' }));
  assert.equal(choose(0, new Set([1])), 2);
  assert.equal(choose(0, new Set([1, 3])), 3);
  assert.equal(choose(0, new Set([1, 3, 4])), 1);
  states.set({ target: 3, state: 'down' }, 0);
  assert.equal(choose(0, new Set([1])), 3);
  states.set({ target: 4, state: 'down' }, 0);
  assert.equal(choose(0, new Set([1])), 1);
  states.set({ target: 2, state: 'down' }, 0);
  assert.equal(choose(0, new Set([1])), 2);
  targets.update(spec(all, { turns }));
  assert.equal(choose(0, new Set([1])), 1);
});
