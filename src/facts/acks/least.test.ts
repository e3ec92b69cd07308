import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Least } from './least.ts';

test('the least of what was added and not removed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20))), (steps) => {
      const least = new Least();
      const model: number[] = [];
      for (const [isAdd, n] of steps) {
        if (isAdd) {
          least.add(n);
          model.push(n);
        } else if (model.length > 0) {
          const [removed = 0] = model.splice(n % model.length, 1);
          least.remove(removed);
        }
        assert.equal(least.value, model.length > 0 ? Math.min(...model) : undefined);
      }
    }),
  );
});
