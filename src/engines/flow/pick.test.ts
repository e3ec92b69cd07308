import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Target } from '../engine.ts';
import { createPicker, type Picker } from './pick.ts';

const target = (address: string, weight: number, tier = 0): Target => ({ number: 0, address, weight, tier });

function picker(...targets: Target[]): Picker {
  const picker = createPicker();
  picker.update(targets);
  return picker;
}

function take(picker: Picker, count: number): string {
  return Array.from({ length: count }, () => picker.next()?.address ?? '-').join('');
}

test('turns are smooth: no target gets its share in a burst', () => {
  assert.equal(take(picker(target('a', 5), target('b', 1), target('c', 1)), 14), 'aabacaaaabacaa');
  assert.equal(take(picker(target('a', 1), target('b', 1)), 4), 'abab');
});

test('over a period every target gets exactly its weight', () => {
  const weights = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 3 }), (weights, periods) => {
      const turns = picker(...weights.map((weight, i) => target(String(i), weight)));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const counts = weights.map(() => 0);
      for (let i = 0; i < total * periods; i++) counts[Number(turns.next()?.address)]!++;
      assert.deepEqual(
        counts,
        weights.map((weight) => weight * periods),
      );
    }),
    { numRuns: 300 },
  );
});

test('a higher tier is used only while no lower one has anything', () => {
  const turns = picker(target('a', 1, 1), target('b', 1, 0), target('c', 0, 0), target('d', 1, 2));
  assert.equal(take(turns, 2), 'bb');
  assert.equal(turns.next(new Set(['b']))?.address, 'a');
  assert.equal(turns.next(new Set(['a', 'b']))?.address, 'd');
  assert.equal(turns.next(new Set(['a', 'b', 'd'])), undefined);
});

test('weight 0 takes none, and nothing comes of nothing', () => {
  assert.equal(picker(target('a', 0)).next(), undefined);
  assert.equal(picker().next(), undefined);
});

test('a change keeps the turn of those that stay', () => {
  const turns = picker(target('a', 1), target('b', 1));
  assert.equal(take(turns, 1), 'a');
  turns.update([target('a', 1), target('b', 1), target('c', 1)]);
  assert.equal(turns.next()?.address, 'b');
});

test('a change of weights does not repay old debts in a burst', () => {
  const turns = picker(target('a', 100), target('b', 1));
  take(turns, 50);
  turns.update([target('a', 1), target('b', 1)]);
  assert.ok(!take(turns, 6).includes('bbb'));
});

test('a debt under another weight is at most one turn, either way', () => {
  const turns = picker(target('a', 100), target('b', 100));
  // a is owed -100, b 100.
  assert.equal(take(turns, 1), 'a');
  turns.update([target('a', 2), target('b', 2)]);
  assert.equal(take(turns, 4), 'baba');
});

test('a barred target takes none, at its ports or at all', () => {
  const denied: Target = { ...target('a', 1), barred: { cause: 'denied' } };
  const loops: Target = { ...target('b', 1), barred: { cause: 'loop', ports: [{ from: 80, to: 80 }] } };
  const turns = picker(denied, loops, target('c', 1, 1));
  assert.deepEqual([turns.next(undefined, 80)?.address, turns.next(undefined, 81)?.address], ['c', 'b']);
});

test('of two that are owed the same the first one goes', () =>
  assert.equal(take(picker(target('x', 1), target('y', 1), target('z', 1)), 6), 'xyzxyz'));
