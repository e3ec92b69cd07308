import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Usage } from '../../config/usage.ts';
import { secondsFrom, spanText } from './times.ts';

test('a span is read in seconds, whatever its unit', () => {
  const read = ['90', '90s', '10m', '2h', '1d'].map(secondsFrom);
  assert.deepEqual([secondsFrom(undefined), ...read], [undefined, 90, 90, 600, 7_200, 86_400]);
  for (const text of ['', '0', '1w', '-1s', '1.5h']) assert.throws(() => secondsFrom(text), Usage, text);
});

test('and written in a unit that it holds twice', () => {
  const spans = [-5, 0, 1_499, 119_499, 120_000, 5_400_000, 7_200_000, 172_800_000, 31_536_000_000].map(spanText);
  assert.deepEqual(spans, ['0s', '0s', '1s', '119s', '2m', '90m', '2h', '2d', '365d']);
});
