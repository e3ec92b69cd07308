/** The response rate limit, driven by a clock of the test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createResponseLimit } from './limit.ts';

test('a network over its budget gets every second answer truncated; others and the next second are untouched', () => {
  let now = 0;
  const limit = createResponseLimit(3, { monotonic: () => now });
  const verdicts = Array.from({ length: 7 }, () => limit.judge('1/c00002'));
  assert.deepEqual(verdicts, ['answer', 'answer', 'answer', 'truncate', 'drop', 'truncate', 'drop']);
  assert.equal(limit.judge('1/c00003'), 'answer');
  now = 1000;
  assert.equal(limit.judge('1/c00002'), 'answer');
});

test('forged networks cannot use up the memory: beyond the table they are sent to TCP', () => {
  const limit = createResponseLimit(3, { monotonic: () => 0 });
  for (let i = 0; i < 65_536; i++) limit.judge(`network ${i}`);
  assert.equal(limit.judge('one more'), 'unknown');
  assert.equal(limit.judge('network 1'), 'answer');
});

test('0 is no limit', () => {
  const limit = createResponseLimit(0, { monotonic: () => 0 });
  assert.ok(Array.from({ length: 10_000 }, () => limit.judge('1/c00002')).every((verdict) => verdict === 'answer'));
});
