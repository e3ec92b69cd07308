import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyedQueue } from './keyed-queue.ts';

test('calls with one key run in their order, others beside them, and idle waits for all', async () => {
  const queue = createKeyedQueue();
  const ran: string[] = [];
  const [first, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const all = [
    queue.run('a', async () => {
      await first.promise;
      ran.push('a1');
      return 1;
    }),
    queue.run('a', () => {
      ran.push('a2');
      return 2;
    }),
    queue.run('b', async () => {
      await other.promise;
      ran.push('b1');
      return 3;
    }),
  ];
  const idle = queue.idle().then(() => ran.push('idle'));
  other.resolve();
  assert.equal(await all[2], 3);
  assert.deepEqual(ran, ['b1']);
  first.resolve();
  assert.deepEqual(await Promise.all(all), [1, 2, 3]);
  await idle;
  assert.deepEqual(ran, ['b1', 'a1', 'a2', 'idle']);
});

test('nothing is kept of calls that are done', async () => {
  const queue = createKeyedQueue();
  await Promise.all([queue.run('a', () => {}), queue.run('b', () => {})]);
  assert.deepEqual(await queue.idle(), []);
});

test('a call that comes while another one is under way waits for it, whichever ended before', async () => {
  const queue = createKeyedQueue();
  const second = Promise.withResolvers<void>();
  const ran: string[] = [];
  await queue.run('a', () => {});
  const first = queue.run('a', () => {});
  const blocked = queue.run('a', () => second.promise.then(() => ran.push('second')));
  await first;
  const third = queue.run('a', () => ran.push('third'));
  await new Promise(setImmediate);
  assert.deepEqual(ran, []);
  second.resolve();
  await Promise.all([blocked, third]);
  assert.deepEqual(ran, ['second', 'third']);
});
