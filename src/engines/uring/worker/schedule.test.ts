import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Target } from '../../engine.ts';
import { nextTurn, turnsOf } from './schedule.ts';

const target = (weight: number, tier = 0, address = `${weight}.${tier}`): Target => ({
  number: 0,
  address,
  weight,
  tier,
});
const counter = (): Int32Array => new Int32Array(new SharedArrayBuffer(4));

test('over one period each target gets exactly its share, whoever asks', () => {
  const targets = [target(3), target(1), target(2)];
  const turns = turnsOf(targets);
  const shared = counter();
  const taken = [0, 0, 0];
  for (let i = 0; i < 6; i++) taken[nextTurn(turns, shared)]! += 1;
  assert.deepEqual(taken, [3, 1, 2]);
});

test('a common divisor shortens the turn', () => {
  assert.equal(turnsOf([target(100), target(50)])[0]?.length, 3);
});

test('weight 0 has no turn; without any target there is none', () => {
  assert.deepEqual(turnsOf([target(0)]), []);
  assert.equal(nextTurn(turnsOf([target(0)]), counter()), -1);
  assert.equal(nextTurn([], counter()), -1);
});

test('a higher tier is asked only when the lower ones are taboo', () => {
  const turns = turnsOf([target(1, 1), target(1, 0)]);
  assert.equal(nextTurn(turns, counter()), 1);
  assert.equal(
    nextTurn(turns, counter(), (position) => position === 1),
    0,
  );
  assert.equal(
    nextTurn(turns, counter(), () => true),
    -1,
  );
});

test('shares are exact for any weights, from any point of the turn', () => {
  const weights = fc.array(fc.nat(20), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(weights, fc.integer(), (weights, start) => {
      const targets = weights.map((weight, i) => target(weight, 0, `${i}`));
      const turns = turnsOf(targets);
      const total = weights.reduce((a, b) => a + b, 0);
      const shared = counter();
      // A multiple of the period, so that the wrap of the counter is not what is tested.
      shared[0] = Math.abs(start % 1000) * (turns[0]?.length ?? 1);
      const taken = weights.map(() => 0);
      for (let i = 0; i < total; i++) taken[nextTurn(turns, shared)]! += 1;
      assert.deepEqual(taken, weights);
    }),
  );
});
