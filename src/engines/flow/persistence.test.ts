import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_REMEMBERED_CLIENTS } from './behaviour.ts';
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

test('those whose time is over go with the next client, and no sooner', () => {
  const kept = createPersistence(10);
  kept.setSeconds(30);
  kept.remember('x', 'a', 0);
  kept.remember('y', 'a', 1);
  kept.remember('z', 'a', 29_999);
  kept.setSeconds(3_600);
  assert.deepEqual([kept.recall('x', 30_000), kept.recall('y', 30_000)], ['a', 'a']);
  kept.setSeconds(30);
  kept.remember('z', 'a', 30_000);
  kept.setSeconds(3_600);
  assert.deepEqual([kept.recall('x', 30_000), kept.recall('y', 30_000)], [undefined, 'a']);
});

test('it remembers as many clients as the doctrine says', () => {
  const kept = createPersistence();
  kept.setSeconds(30);
  for (let i = 0; i <= MOST_REMEMBERED_CLIENTS; i++) kept.remember(`${i}`, 'a', 0);
  assert.deepEqual([kept.recall('0', 0), kept.recall('1', 0)], [undefined, 'a']);
});
