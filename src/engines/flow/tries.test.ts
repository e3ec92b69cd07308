import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayTryNext } from './tries.ts';

test('refusals end by time alone, time-outs by their number', () => {
  const [at, mostly] = [5000, 4999];
  assert.equal(mayTryNext(0, 0, at), true);
  assert.equal(mayTryNext(0, mostly, at), true);
  assert.equal(mayTryNext(0, at, at), false);
  assert.equal(mayTryNext(2, mostly, at), true);
  assert.equal(mayTryNext(3, 0, at), false);
});
