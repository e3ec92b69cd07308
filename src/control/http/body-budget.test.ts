import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { BodyBudget } from './body-budget.ts';

const MiB = 1024 * 1024;

test('the memory of bodies that are given up is there again at once, not when it is collected', () => {
  const budget = new BodyBudget(4 * MiB, new ManualClock(), () => {});
  const part = Buffer.alloc(64 * 1024, 'x');
  const before = process.memoryUsage().arrayBuffers;
  for (let body = 0; body < 40; body++) {
    const share = budget.open(2 * MiB, () => {});
    for (let sent = 0; sent < 2 * MiB; sent += part.length) assert.ok(share.add(part));
    if (body % 2 === 1) assert.equal(share.whole().length, 2 * MiB);
    share.release();
  }
  assert.equal(budget.used, 0);
  // The whole of a body is its reader's, and collected as anything else.
  const wholes = 20 * 2 * MiB;
  assert.ok(process.memoryUsage().arrayBuffers - before <= wholes, 'what was given up is still there');
});
