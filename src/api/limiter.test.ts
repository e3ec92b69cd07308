/** What the wire tests cannot see of the rate limit: that it forgets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { Limiter } from './limiter.ts';

test('idle accounts are forgotten, busy ones are not', () => {
  let now = 0;
  const limiter = new Limiter(1, { ...systemClock, monotonic: () => now });
  for (let account = 0; account < 4096; account++) limiter.admit(`idle-${account}`, 'Echo');
  assert.equal(limiter.size, 4096);
  now = 999;
  limiter.admit('busy', 'Echo');
  // Nobody's bucket is full yet, so there is nothing to forget.
  assert.equal(limiter.size, 4097);
  now = 1001;
  limiter.admit('one more', 'Echo');
  assert.equal(limiter.size, 2);
  assert.throws(() => limiter.admit('busy', 'Echo'), { code: 'RequestLimitExceeded' });
});

test('no limit keeps nothing', () => {
  const limiter = new Limiter(0, systemClock);
  for (let call = 0; call < 100; call++) limiter.admit('account', 'Echo');
  assert.equal(limiter.size, 0);
});
