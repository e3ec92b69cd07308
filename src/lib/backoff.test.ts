import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackoff } from './backoff.ts';
import { seededRng } from './rng.ts';

test('doubles up to its most, never less than half a step, and starts over', () => {
  const backoff = createBackoff(100, 1_000, seededRng(1));
  for (const step of [100, 200, 400, 800, 1_000, 1_000]) {
    const wait = backoff.next();
    assert.ok(wait >= step / 2 && wait <= step, `${wait} of ${step}`);
  }
  backoff.reset();
  assert.ok(backoff.next() <= 100);
});
