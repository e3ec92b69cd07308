import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPersistence } from './persistence.ts';

test('a client keeps its target for the time after its last connection', () => {
  const kept = createPersistence();
  kept.setSeconds(30);
  kept.remember('c', 'a', 0);
  assert.equal(kept.recall('c', 29_999), 'a');
  assert.equal(kept.recall('c', 30_000), undefined);
  kept.remember('c', 'a', 20_000);
  assert.equal(kept.recall('c', 49_999), 'a');
  assert.equal(kept.recall('other', 0), undefined);
});

test('switched off it forgets everyone', () => {
  const kept = createPersistence();
  kept.remember('c', 'a', 0);
  assert.equal(kept.recall('c', 0), undefined);
  kept.setSeconds(30);
  kept.remember('c', 'a', 0);
  kept.setSeconds(0);
  kept.setSeconds(30);
  assert.equal(kept.recall('c', 1), undefined);
});

test('a shorter time holds at once', () => {
  const kept = createPersistence();
  kept.setSeconds(3600);
  kept.remember('c', 'a', 0);
  kept.setSeconds(30);
  assert.equal(kept.recall('c', 31_000), undefined);
});

test('it is bounded: the client that was silent longest goes first', () => {
  const kept = createPersistence(2);
  kept.setSeconds(30);
  kept.remember('x', 'a', 0);
  kept.remember('y', 'a', 1);
  kept.remember('x', 'a', 2);
  kept.remember('z', 'a', 3);
  assert.deepEqual(
    ['x', 'y', 'z'].map((client) => kept.recall(client, 4)),
    ['a', undefined, 'a'],
  );
});

test('a failed target is forgotten', () => {
  const kept = createPersistence();
  kept.setSeconds(30);
  kept.remember('c', 'a', 0);
  kept.forget('c');
  assert.equal(kept.recall('c', 1), undefined);
});
