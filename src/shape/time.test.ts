import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloudTime } from './time.ts';

test('whole seconds, UTC as an offset', () => {
  assert.equal(cloudTime(1_695_396_664_789), '2023-09-22T15:31:04+00:00');
  assert.equal(Date.parse(cloudTime(1_695_396_664_789)), 1_695_396_664_000);
});
