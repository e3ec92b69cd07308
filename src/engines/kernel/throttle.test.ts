import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createThrottle } from './throttle.ts';

test('looks take a tenth of the time at most, and the first is at once', () => {
  let now = 0;
  const allowed = createThrottle({ monotonic: () => now });
  let looks = 0;
  const look = (): number => {
    now += 3;
    return ++looks;
  };
  assert.equal(allowed(look), 1);
  assert.equal(allowed(look), undefined);
  now = 3 + 27;
  assert.equal(allowed(look), 2);
  // Changes that take 1 ms each.
  for (let i = 0; i < 1000; i++, now++) allowed(look);
  assert.ok(looks <= 2 + 1000 / 27, `${looks}`);
});
