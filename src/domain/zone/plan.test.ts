import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers, newPlan, planStatus } from './plan.ts';

const DAY = 86_400_000;
const kind = { id: 'edgeone-1', account: 'one', type: 'plan-basic', area: 'global' } as const;
const endOf = (start: string, months: number): string =>
  new Date(newPlan({ ...kind, months }, Date.parse(start)).expiresAt).toISOString().slice(0, 16);

test('months end on the same day, or on the last one of a shorter month', () => {
  assert.equal(endOf('2024-01-15T08:30:00Z', 1), '2024-02-15T08:30');
  assert.equal(endOf('2024-01-31T08:30:00Z', 1), '2024-02-29T08:30');
  assert.equal(endOf('2023-11-30T08:30:00Z', 3), '2024-02-29T08:30');
  assert.equal(endOf('2024-12-31T23:59:00Z', 36), '2027-12-31T23:59');
});

test('time alone makes a plan expire; a word of the operator stays', () => {
  const plan = newPlan({ ...kind, months: 1 }, 0);
  assert.equal(planStatus(plan, 0), 'normal');
  assert.equal(planStatus(plan, plan.expiresAt - 10 * DAY), 'expiring-soon');
  assert.equal(planStatus(plan, plan.expiresAt), 'expired');
  assert.equal(planStatus({ ...plan, status: 'isolated' }, plan.expiresAt), 'isolated');
  assert.equal(planStatus(newPlan(kind, 0), 70 * 365 * DAY), 'normal');
});

test('a plan covers its own part of the world, a global one all of it', () => {
  const mainland = newPlan({ ...kind, area: 'mainland' }, 0);
  assert.deepEqual(
    (['', 'mainland', 'overseas', 'global'] as const).map((area) => covers(mainland, area)),
    [true, true, false, false],
  );
  assert.ok(covers(newPlan(kind, 0), 'overseas'));
});
