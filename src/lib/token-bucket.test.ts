import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TokenBucket } from './token-bucket.ts';

test('a burst, then the steady rate', () => {
  const bucket = new TokenBucket(10, 3, 0);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => bucket.take(0)),
    [true, true, true, false],
  );
  assert.equal(bucket.take(99), false);
  assert.equal(bucket.take(100), true);
  assert.equal(bucket.take(100), false);
  // Ten seconds refill no more than the burst.
  assert.deepEqual(
    [1, 2, 3, 4].map(() => bucket.take(10_000)),
    [true, true, true, false],
  );
});

test('over any span it lets through the burst plus the rate, to the token', () => {
  const bucket = new TokenBucket(20, 20, 0);
  let taken = 0;
  for (let now = 0; now < 10_000; now += 7) if (bucket.take(now)) taken += 1;
  assert.ok(taken === 219 || taken === 220, String(taken));
});

test('a cost above what is left takes nothing; a clock that steps back refills nothing', () => {
  const bucket = new TokenBucket(1, 5, 1000);
  assert.equal(bucket.take(1000, 6), false);
  assert.equal(bucket.take(1000, 5), true);
  assert.equal(bucket.take(0), false);
  assert.equal(bucket.take(1500), false);
  assert.equal(bucket.take(2000), true);
});

test('full means forgettable', () => {
  const bucket = new TokenBucket(1, 2, 0);
  assert.equal(bucket.isFull(0), true);
  bucket.take(0);
  assert.equal(bucket.isFull(999), false);
  assert.equal(bucket.isFull(1000), true);
});
