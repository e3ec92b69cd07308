import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { target } from '../../../../test/suites/engine/listener.ts';
import { rotationOf } from './rotation.ts';

const lengths = (...rotation: Parameters<typeof rotationOf>) => {
  const sums = new Map<string, number>();
  for (const { from, to, address } of rotationOf(...rotation))
    sums.set(address, (sums.get(address) ?? 0) + to - from + 1);
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
  // A tier of another size: nobody in it is forgotten, and the length stays.
  const shares = (down: readonly string[]) => {
    const all = ['a', 'b'].map((address) => target(address)).concat(['c', 'd', 'e'].map((one) => target(one, 10, 1)));
    return Object.fromEntries(lengths(all, ({ address }) => (down.includes(address) ? 0 : 1)));
  };
  assert.deepEqual(shares([]), { a: 3, b: 3 });
  assert.deepEqual(shares(['a', 'b']), { c: 2, d: 2, e: 2 });
  assert.deepEqual(shares(['a', 'b', 'c', 'd', 'e']), { a: 3, b: 3 });
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

test('while targets are shut the length stays, and the others share it by weight, off by less than one count', () => {
  const weights = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 100 }), isShut: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(weights, (list) => {
      const targets = list.map(({ weight }, i) => target(`o${i}`, weight));
      const shut = new Set(targets.filter((_, i) => list[i]?.isShut));
      const open = targets.filter((one) => !shut.has(one) && one.weight > 0);
      const runs = rotationOf(targets, ({ number }) =>
        shut.has(targets.find((one) => one.number === number)!) ? 0 : 1,
      );
      const length = (rotationOf(targets).at(-1)?.to ?? -1) + 1;
      assert.equal((runs.at(-1)?.to ?? -1) + 1, length);
      for (const [i, { from, to }] of runs.entries()) assert.ok(from === (runs[i - 1]?.to ?? -1) + 1 && to >= from);
      const takers = open.length > 0 ? open : targets;
      const total = takers.reduce((sum, { weight }) => sum + weight, 0);
      const counts = new Map<string, number>();
      for (const { from, to, address } of runs) counts.set(address, (counts.get(address) ?? 0) + to - from + 1);
      for (const { address, weight } of takers)
        assert.ok(Math.abs((counts.get(address) ?? 0) - (weight * length) / (total || 1)) < 1, address);
      assert.ok([...counts.keys()].every((address) => takers.some((one) => one.address === address)));
    }),
  );
});

test('up to four origins alike get exactly the same while one of them is shut', () => {
  for (const count of [2, 3, 4]) {
    const targets = Array.from({ length: count }, (_, i) => target(`o${i}`));
    const sums = new Map<string, number>();
    for (const { from, to, address } of rotationOf(targets, ({ number }) => (number === targets[0]?.number ? 0 : 1)))
      sums.set(address, (sums.get(address) ?? 0) + to - from + 1);
    assert.deepEqual([sums.size, new Set(sums.values()).size], [count - 1, 1]);
  }
});

test('a target that starts slowly gets its share in steps of an eighth, and the others leave no count of theirs', () => {
  const targets = ['a', 'b', 'c'].map((address) => target(address));
  const share = (part: number) => lengths(targets, ({ address }) => (address === 'a' ? part : 1), true);
  const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((eighths) => share(eighths / 8));
  assert.deepEqual(
    steps.map((sums) => ['a', 'b', 'c'].map((address) => sums.get(address) ?? 0)),
    [
      [0, 12, 12],
      [2, 11, 11],
      [3, 11, 10],
      [4, 10, 10],
      [5, 10, 9],
      [6, 9, 9],
      [6, 9, 9],
      [7, 9, 8],
      [8, 8, 8],
    ],
  );
  const placesOf = (part: number): string[] =>
    rotationOf(targets, ({ address }) => (address === 'a' ? part : 1), true).flatMap(({ from, to, address }) =>
      Array.from({ length: to - from + 1 }, () => address),
    );
  const whole = placesOf(1);
  for (const [i, address] of placesOf(1 / 8).entries()) assert.ok(address === whole[i] || whole[i] === 'a');
  // Alone, or with nobody who is whole, it takes all that there is.
  assert.deepEqual(
    lengths(targets.slice(0, 1), () => 1 / 8, true),
    new Map([['a', 8]]),
  );
  const both = lengths(targets.slice(0, 2), ({ address }) => (address === 'a' ? 1 / 8 : 1 / 4), true);
  assert.deepEqual([...both.values()], [8, 8]);
});
