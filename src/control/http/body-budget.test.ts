import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { BodyBudget } from './body-budget.ts';

const MiB = 1024 * 1024;

test('the memory of bodies that are given up is there again at once, not when it is collected', () => {
  const budget = new BodyBudget(4 * MiB, new ManualClock(), () => {});
  const part = Buffer.alloc(64 * 1024, 'x');
  const before = process.memoryUsage().arrayBuffers;
  for (let body = 0; body < 20; body++) {
    const share = budget.open(2 * MiB, () => {});
    for (let sent = 0; sent < 2 * MiB; sent += part.length) assert.ok(share.add(part));
    share.release();
  }
  assert.equal(budget.used, 0);
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < MiB, `${grown} bytes are still there`);
});
