import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deal } from './inherited-sockets.ts';

test('sockets are dealt in turn, beginning with the worker that is named', () => {
  assert.deepEqual(deal([10, 11, 12], 2, 1), [[11], [10, 12]]);
  assert.deepEqual(deal([], 2, 0), [[], []]);
});

test('every socket has one worker, and no worker two more than another', () => {
  const numbers = fc.uniqueArray(fc.nat());
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 8 }), fc.nat(7), (fds, workers, first) => {
      const dealt = deal(fds, workers, first);
      assert.deepEqual(
        dealt.flat().toSorted((a, b) => a - b),
        fds.toSorted((a, b) => a - b),
      );
      const sizes = dealt.map(({ length }) => length);
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
    }),
  );
});
