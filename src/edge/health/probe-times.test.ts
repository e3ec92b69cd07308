import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProbeTimes } from './probe-times.ts';

test('the share of the last hundred probes, and how many there were in all', () => {
  const times = new ProbeTimes();
  assert.deepEqual([times.quantile(0.5), times.quantile(0.99), times.tries], [0, 0, 0]);
  times.add(7);
  assert.deepEqual([times.quantile(0.5), times.quantile(0.99), times.tries], [7, 7, 1]);
  for (let ms = 1; ms <= 1_000; ms++) times.add(ms);
  assert.deepEqual([times.quantile(0.5), times.quantile(0.99), times.tries], [950, 999, 1_001]);
});
