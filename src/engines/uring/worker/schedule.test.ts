import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Target } from '../../engine.ts';
import { Schedule, placeMemory, turnsOf } from './schedule.ts';
import type { Candidates } from './schedule.ts';

const target = (weight: number, tier = 0, address = `${weight}.${tier}`): Target => ({
  number: 0,
  address,
  weight,
  tier,
});

const scheduleOf = (targets: readonly Target[], places = placeMemory()): Schedule =>
  new Schedule(turnsOf(targets), places);

/** All but these positions. */
function without(...out: readonly number[]): Candidates {
  const may = (position: number): boolean => !out.includes(position);
  return { ...whole, may, takes: may };
}

const whole = { admits: () => true, isWhole: () => true };

/** How often each target is chosen. */
function taken(schedule: Schedule, targets: readonly Target[], times: number, among: Candidates): number[] {
  const counts = targets.map(() => 0);
  for (let i = 0; i < times; i++) counts[schedule.next(among)]! += 1;
  return counts;
}

test('over one period each target gets exactly its share, whoever asks', () => {
  const targets = [target(3), target(1), target(2)];
  const places = placeMemory();
  const workers = [scheduleOf(targets, places), scheduleOf(targets, places)];
  const counts = [0, 0, 0];
  for (let i = 0; i < 6; i++) counts[workers[i % 2]!.next(without())]! += 1;
  assert.deepEqual(counts, [3, 1, 2]);
});

test('a common divisor shortens the turn', () => {
  assert.equal(turnsOf([target(100), target(50)])[0]?.length, 3);
});

test('weight 0 has no turn; without any target there is none', () => {
  assert.deepEqual(turnsOf([target(0)]), []);
  assert.equal(scheduleOf([target(0)]).next(without()), -1);
  assert.equal(scheduleOf([]).next(without()), -1);
});

test('a higher tier is asked only when no target of the lower ones may', () => {
  const schedule = scheduleOf([target(1, 1), target(1, 0)]);
  assert.equal(schedule.next(without()), 1);
  assert.equal(schedule.next(without(1)), 0);
  assert.equal(schedule.next(without(0, 1)), -1);
});

const weighted = (weights: readonly number[], tier = 0): Target[] =>
  weights.map((weight, i) => target(weight, tier, `${tier}.${i}`));

test('shares are exact for any weights, from any point of the turn', () => {
  const weights = fc.array(fc.nat(20), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.nat(1000), (weights, start) => {
      const targets = weighted(weights);
      const schedule = scheduleOf(targets);
      const total = weights.reduce((a, b) => a + b, 0);
      for (let i = 0; i < start; i++) schedule.next(without());
      assert.deepEqual(taken(schedule, targets, total, without()), weights);
    }),
  );
});

test('those that are passed over leave the others their shares of each other, in a higher tier too', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.nat(), fc.nat(100), (weights, out, start) => {
      const targets = [...weighted([1, 2], 0), ...weighted(weights, 1)];
      const schedule = scheduleOf(targets);
      const gone = 2 + (out % weights.length);
      for (let i = 0; i < start; i++) schedule.next(without());
      const wanted = targets.map(({ weight }, i) => (i < 2 || i === gone ? 0 : weight));
      const total = wanted.reduce((a, b) => a + b, 0);
      assert.deepEqual(taken(schedule, targets, total, without(0, 1, gone)), wanted);
    }),
  );
});

test('second choices, each after a first one, have shares of their own', () => {
  const targets = [target(1, 0), target(1, 1, 'a'), target(1, 1, 'b')];
  const schedule = scheduleOf(targets);
  const counts = [0, 0, 0];
  for (let i = 0; i < 10; i++) for (const out of [without(), without(0)]) counts[schedule.next(out)]! += 1;
  assert.deepEqual(counts, [10, 5, 5]);
});

test('where another worker takes what only one may have, the next one is chosen', () => {
  const schedule = scheduleOf([target(1, 0, 'a'), target(1, 0, 'b'), target(1, 1)]);
  const lost: Candidates = { ...whole, may: () => true, takes: (position) => position !== 0 };
  assert.deepEqual([schedule.next(lost), schedule.next(lost)], [1, 1]);
  const allLost: Candidates = { ...whole, may: () => true, takes: (position) => position === 2 };
  assert.equal(schedule.next(allLost), 2);
});

test('a lone target with a small weight takes all, at once', () => {
  const targets = weighted([997, 991, 1]);
  const schedule = scheduleOf(targets);
  let asked = 0;
  const counting: Candidates = {
    ...whole,
    may: (position) => position === 2,
    takes(position) {
      asked++;
      return position === 2;
    },
  };
  assert.deepEqual(taken(schedule, targets, 100, counting), [0, 0, 100]);
  assert.ok(asked <= 400, `${asked} asked`);
});

test('one that takes a part of its turns gets it exactly, the others keep their shares of each other', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.constantFrom(2, 4, 8), (weights, part) => {
      const targets = weighted(weights);
      const schedule = scheduleOf(targets);
      let turns = 0;
      const slow: Candidates = {
        ...without(),
        admits: (position) => position > 0 || turns++ % part === 0,
        isWhole: (position) => position > 0,
      };
      const wanted = weights.map((weight, i) => (i === 0 ? weight : part * weight));
      const total = wanted.reduce((a, b) => a + b, 0);
      assert.deepEqual(taken(schedule, targets, total, slow), wanted);
    }),
  );
});

test('where nobody of the tier is whole, each takes all of its turns, and none goes to the next tier', () => {
  const targets = [target(2, 0, 'a'), target(1, 0, 'b'), target(1, 1)];
  const schedule = scheduleOf(targets);
  const slow: Candidates = { ...without(), admits: () => false, isWhole: (position) => position === 2 };
  assert.deepEqual(taken(schedule, targets, 6, slow), [4, 2, 0]);
  const alone: Candidates = { ...without(1), admits: () => false, isWhole: (position) => position > 0 };
  assert.deepEqual(taken(schedule, targets, 6, alone), [6, 0, 0]);
});
