import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerRule } from '../../../../test/suites/engine/listener.ts';
import { MOST_TARGETS } from '../../flow/target-states.ts';
import { CAUSE, newRow } from './counters.ts';
import { OutcomeCounter, OutcomeReader, outcomeMemory } from './outcomes.ts';

const memory = outcomeMemory();
const RULE = workerRule('192.0.2.1', [], newRow());
const UDP = workerRule('192.0.2.1', [], newRow(), { protocol: 'UDP' });

test('what two workers count is told once, with the failures in a row', () => {
  const [one, other] = [new OutcomeCounter(memory), new OutcomeCounter(memory)];
  const reader = new OutcomeReader(memory);
  assert.deepEqual(reader.take(true), []);
  one.failed(700, CAUSE['origin-refused'], RULE);
  one.ok(700);
  other.failed(700, CAUSE['origin-timeout'], RULE);
  one.failed(700, CAUSE['origin-unreachable'], RULE);
  other.failed(3, CAUSE['origin-refused'], UDP);
  one.failed(3, CAUSE['origin-reset'], RULE);
  assert.deepEqual(reader.take(true), [
    { target: 3, counts: { 'port-unreachable': 1, reset: 1 }, failedInRow: 2 },
    { target: 700, counts: { ok: 1, refused: 1, 'timed-out': 1, unreachable: 1 }, failedInRow: 2 },
  ]);
  assert.deepEqual(reader.take(true), []);
  other.failed(700, CAUSE['origin-timeout'], RULE);
  assert.deepEqual(reader.take(true), [{ target: 700, counts: { 'timed-out': 1 }, failedInRow: 3 }]);
  one.ok(700);
  assert.deepEqual(reader.take(true), [{ target: 700, counts: { ok: 1 }, failedInRow: 0 }]);
});

test('a first failure is urgent, once in a batch', () => {
  const counter = new OutcomeCounter(memory);
  const reader = new OutcomeReader(memory);
  const isUrgentAfter = (count: () => void): boolean => {
    counter.isUrgent = false;
    count();
    return counter.isUrgent;
  };
  const fail = (): void => counter.failed(9, CAUSE['origin-refused'], RULE);
  assert.deepEqual([isUrgentAfter(fail), isUrgentAfter(fail)], [true, false]);
  reader.take(false);
  counter.ok(9);
  assert.equal(isUrgentAfter(fail), false);
  reader.take(true);
  assert.equal(isUrgentAfter(fail), false);
  counter.ok(9);
  reader.take(true);
  assert.equal(isUrgentAfter(fail), true);
});

test('what says nothing of a target, and a number beyond the table, is not counted', () => {
  const counter = new OutcomeCounter(memory);
  const reader = new OutcomeReader(memory);
  reader.take(true);
  counter.failed(1, CAUSE['no-source-port'], RULE);
  counter.failed(1, CAUSE['origin-refused'], { ...RULE, originPorts: { from: 1, to: 2 } });
  counter.ok(MOST_TARGETS);
  counter.failed(MOST_TARGETS, CAUSE['origin-refused'], RULE);
  assert.deepEqual(reader.take(true), []);
  counter.ok(MOST_TARGETS - 1);
  assert.deepEqual(reader.take(true), [{ target: MOST_TARGETS - 1, counts: { ok: 1 }, failedInRow: 0 }]);
});
