import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { target } from '../../../../test/suites/engine/listener.ts';
import { rotationOf } from './rotation.ts';

/** Counts that a share may be off: the remainder of a turn, taken from its smooth beginning. */
const OFF = 2;

const lengths = (targets: Parameters<typeof rotationOf>[0]) => {
  const sums = new Map<string, number>();
  for (const { from, to, address } of rotationOf(targets)) sums.set(address, (sums.get(address) ?? 0) + to - from + 1);
  return sums;
};

test('weights become a rotation, as short as it can be, and no burst in it', () => {
  assert.deepEqual(rotationOf([target('a', 50), target('b', 50)]), [
    { from: 0, to: 0, address: 'a' },
    { from: 1, to: 1, address: 'b' },
  ]);
  const turn = rotationOf([target('a', 5), target('b', 3), target('c', 2)]);
  assert.ok(turn.every(({ from, to }) => to - from < 2));
  assert.deepEqual(rotationOf([target('a', 7, 1)]), [{ from: 0, to: 0, address: 'a' }]);
});

test('only the lowest tier that has a weight takes part', () => {
  const tiers = [target('a', 0, 0), target('b', 4, 1), target('c', 2, 1), target('d', 100, 2)];
  assert.deepEqual(
    lengths(tiers),
    new Map([
      ['b', 2],
      ['c', 1],
    ]),
  );
  assert.deepEqual(rotationOf([]), []);
  assert.deepEqual(rotationOf([target('a', 0)]), []);
});

test('over a rotation each has exactly its share; no count is free, none is given twice', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(weights, (weights) => {
      const targets = weights.map((weight, i) => target(`o${i}`, weight));
      const runs = rotationOf(targets);
      for (const [i, { from, to }] of runs.entries()) assert.ok(from === (runs[i - 1]?.to ?? -1) + 1 && to >= from);
      const sums = lengths(targets);
      const total = weights.reduce((a, b) => a + b, 0);
      const turn = [...sums.values()].reduce((a, b) => a + b, 0);
      for (const [i, weight] of weights.entries()) assert.equal((sums.get(`o${i}`) ?? 0) * total, weight * turn);
    }),
  );
});

test('while targets are shut the length stays, and the others share it by weight, off by two counts at most', () => {
  const weights = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 100 }), isShut: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(weights, (list) => {
      const targets = list.map(({ weight }, i) => target(`o${i}`, weight));
      const shut = new Set(targets.filter((_, i) => list[i]?.isShut));
      const open = targets.filter((one) => !shut.has(one) && one.weight > 0);
      const runs = rotationOf(targets, (one) => shut.has(one));
      const length = (rotationOf(targets).at(-1)?.to ?? -1) + 1;
      assert.equal((runs.at(-1)?.to ?? -1) + 1, length);
      for (const [i, { from, to }] of runs.entries()) assert.ok(from === (runs[i - 1]?.to ?? -1) + 1 && to >= from);
      const takers = open.length > 0 ? open : targets;
      const total = takers.reduce((sum, { weight }) => sum + weight, 0);
      const counts = new Map<string, number>();
      for (const { from, to, address } of runs) counts.set(address, (counts.get(address) ?? 0) + to - from + 1);
      for (const { address, weight } of takers)
        assert.ok(Math.abs((counts.get(address) ?? 0) - (weight * length) / (total || 1)) < OFF, address);
      assert.ok([...counts.keys()].every((address) => takers.some((one) => one.address === address)));
    }),
  );
});

test('up to four origins alike get exactly the same while one of them is shut', () => {
  for (const count of [2, 3, 4]) {
    const targets = Array.from({ length: count }, (_, i) => target(`o${i}`));
    const sums = new Map<string, number>();
    for (const { from, to, address } of rotationOf(targets, (one) => one === targets[0]))
      sums.set(address, (sums.get(address) ?? 0) + to - from + 1);
    assert.deepEqual([sums.size, new Set(sums.values()).size], [count - 1, 1]);
  }
});
