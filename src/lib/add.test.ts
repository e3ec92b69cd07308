import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addNumbers } from './add.ts';

test('numbers of one name are added, in tables too; what only one has is taken over', () => {
  const a = { name: 'r', n: 1, ends: { idle: 1, reset: undefined }, lost: 3 } as object;
  const b = { name: 'r', n: 2, ends: { idle: 2, error: 1 }, fast: { x: 1 } } as object;
  assert.deepEqual(addNumbers(a, b), {
    name: 'r',
    n: 3,
    ends: { idle: 3, reset: undefined, error: 1 },
    lost: 3,
    fast: { x: 1 },
  });
});
