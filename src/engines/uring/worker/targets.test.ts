import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerRule } from '../../../../test/suites/engine/listener.ts';
import { REST_MS } from '../../flow/behaviour.ts';
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

function targetsOf(first: RuleSpec): { targets: RuleTargets; choose: (now: number, tried?: Set<number>) => number } {
  const targets = new RuleTargets(first);
  targets.update(first);
  return { targets, choose: (now, tried) => targets.choose(CLIENT, 0, 4, now, PORT, tried) };
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
