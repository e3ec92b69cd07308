import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { Signal } from '../../lib/signal.ts';
import { silentLog } from '../../observe/log.ts';
import type { Claim } from '../../engines/table-owner.ts';
import { Guard } from './guard.ts';
import type { LimitedRule } from './contents/limited-rule.ts';

/** A guard whose table is another edge's: nothing reaches a kernel. */
function guarding() {
  const clock = new ManualClock();
  const rules = new Map<string, LimitedRule>();
  const limit = (id: string) =>
    rules.set(id, {
      id,
      proxy: 'sid-1',
      protocol: 'TCP',
      entries: ['192.0.2.1'],
      ports: [{ from: 1, to: 1 }],
      limits: { newPerSecond: 5 },
    });
  const claimed: number[] = [];
  const tables = {
    id: 'me',
    whose: () => 'nobody' as const,
    claim: (): Claim => (claimed.push(clock.now()), { why: 'it is of another edge', isThere: false, former: [] }),
    marks: { note() {}, drop() {}, keep() {} },
  };
  const changed = new Signal();
  let changes = 0;
  changed.listen(() => (changes += 1));
  const world = { rules: () => rules, records: () => new Map() };
  const guard = new Guard({ clock, log: silentLog, tables, onStop: 'keep', changed, ...world });
  return { clock, rules, limit, claimed, guard, changes: () => changes };
}

test('a table that cannot be had is an alarm, told once, and tried again every five seconds until it need not be', async () => {
  const { clock, rules, limit, claimed, guard, changes } = guarding();
  limit('rule-a');
  await guard.update();
  assert.deepEqual([guard.alarms, changes()], [['limits are not enforced: it is of another edge'], 1]);
  const tries = claimed.length;
  await clock.advance(4_999);
  assert.equal(claimed.length, tries);
  await clock.advance(1);
  assert.ok(claimed.length > tries);
  assert.equal(changes(), 1);
  rules.clear();
  await guard.update(['rule-a']);
  assert.deepEqual([guard.alarms, changes()], [[], 2]);
  const last = claimed.length;
  await clock.advance(60_000);
  assert.deepEqual([claimed.length, clock.waiting], [last, 0]);
});

test('while it rests nobody waits for it and nothing is written; after that all is', async () => {
  const { clock, limit, claimed, guard } = guarding();
  await guard.rest();
  limit('rule-a');
  await guard.update();
  await clock.advance(10_000);
  assert.deepEqual([claimed.length, guard.alarms], [0, []]);
  guard.resume();
  await clock.advance(0);
  assert.deepEqual([claimed.length > 0, guard.alarms.length], [true, 1]);
  await guard.stop();
  assert.equal(clock.waiting, 0);
});

test('a change that touches no limit is none of its business', async () => {
  const { guard, rules, limit } = guarding();
  rules.set('rule-b', { id: 'rule-b', proxy: 'sid-1', protocol: 'TCP', entries: [], ports: [] });
  assert.equal(guard.update(['rule-b'], ['zone/zone-a']), undefined);
  limit('rule-a');
  assert.notEqual(guard.update(['rule-a']), undefined);
  assert.deepEqual([guard.isLimited('rule-a'), guard.isLimited('rule-b')], [true, false]);
  await guard.stop();
});
