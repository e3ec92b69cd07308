import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { audit, close, closeAccount, forget } from './balance.ts';
import { absorb } from './counts.ts';
import { createRuleSet } from '../rules.ts';

function desk() {
  const rule = createRuleSet().take('rule-a', 'p') ?? assert.fail();
  const element = (set: 'fresh' | 'told') => ({ set, key: '0xe0000400', data: '' });
  return {
    rule,
    /** What the kernel's counters say now. */
    read: (fresh: number, told: number): void => {
      absorb(rule, 'fresh', element('fresh'), { packets: fresh, bytes: 0 });
      absorb(rule, 'told', element('told'), { packets: told, bytes: 0 });
    },
  };
}

test('what is neither alive nor heard of is lost, once it is missing twice', () => {
  const { rule, read } = desk();
  read(10, 10);
  for (let i = 0; i < 4; i++) close(rule);
  audit(rule, 3);
  assert.deepEqual(rule.counted.unrecorded, { sampled: 0, lost: 0 });
  audit(rule, 3);
  audit(rule, 3);
  assert.deepEqual(rule.counted.unrecorded, { sampled: 0, lost: 3 });
  // One that was only late.
  audit(rule, 2);
  close(rule);
  audit(rule, 2);
  assert.equal(rule.counted.unrecorded.lost, 3);
  closeAccount(rule);
  assert.equal(rule.counted.unrecorded.lost, 5);
});

test('what is in no sample is neither lost nor counted before it is sure', () => {
  const { rule, read } = desk();
  read(100, 10);
  audit(rule, 10);
  audit(rule, 10);
  assert.deepEqual(rule.counted.unrecorded, { sampled: 90, lost: 0 });
  // Told was read later than fresh.
  read(100, 12);
  assert.equal(rule.counted.unrecorded.sampled, 90);
  read(110, 13);
  assert.equal(rule.counted.unrecorded.sampled, 97);
});

test('a table that is made anew takes its counters along, not the connections', () => {
  const { rule, read } = desk();
  read(10, 10);
  for (let i = 0; i < 7; i++) close(rule);
  read(2, 2);
  for (let i = 0; i < 4; i++) close(rule);
  for (let i = 0; i < 3; i++) audit(rule, 1);
  assert.deepEqual([rule.counted.connections, rule.counted.unrecorded.lost], [12, 0]);
});

test('a rule with several indices has one account', () => {
  const rule = createRuleSet().take('rule-a', 'p', 2) ?? assert.fail();
  const told = (key: string, packets: number) =>
    absorb(rule, 'told', { set: 'told', key, data: '' }, { packets, bytes: 0 });
  const fresh = (key: string, packets: number) =>
    absorb(rule, 'fresh', { set: 'fresh', key, data: '' }, { packets, bytes: 0 });
  for (const [key, count] of [
    ['0xe0000400', 30],
    ['0xe0000800', 20],
  ] as const) {
    fresh(key, count);
    told(key, count / 10);
  }
  close(rule);
  for (let i = 0; i < 2; i++) audit(rule, 3);
  assert.deepEqual([rule.counted.connections, rule.counted.unrecorded], [50, { sampled: 45, lost: 1 }]);
});

test('what two engines have heard of is not held against what is lost later', () => {
  const { rule, read } = desk();
  read(4, 4);
  for (let i = 0; i < 6; i++) close(rule);
  audit(rule, 0);
  audit(rule, 0);
  read(7, 7);
  for (let i = 0; i < 2; i++) audit(rule, 1);
  assert.equal(rule.counted.unrecorded.lost, 2);
});

test('an engine that knows nothing of the past begins with what lives', () => {
  const { rule, read } = desk();
  read(50, 50);
  forget(rule, 5);
  for (let i = 0; i < 5; i++) close(rule);
  read(51, 51);
  for (let i = 0; i < 3; i++) audit(rule, 1);
  assert.deepEqual([rule.counted.connections, rule.counted.unrecorded.lost], [1, 0]);
});

test('whatever happens, connections are records, not in the sample, lost or alive', () => {
  const step = fc.constantFrom('begins', 'begins untold', 'ends', 'is lost', 'audit');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { rule, read } = desk();
      let [fresh, told, alive, heard, lost] = [0, 0, 0, 0, 0];
      const look = (): void => (read(fresh, told), audit(rule, alive));
      for (const what of steps) {
        if (what === 'audit') look();
        else if (what === 'begins untold') fresh++;
        else if (what === 'begins') [fresh, told, alive] = [fresh + 1, told + 1, alive + 1];
        else if (alive > 0) {
          alive--;
          if (what === 'is lost') {
            lost++;
            continue;
          }
          heard++;
          close(rule);
        }
      }
      look();
      look();
      const { connections, unrecorded } = rule.counted;
      assert.equal(unrecorded.lost, lost);
      assert.equal(connections, heard + unrecorded.sampled + unrecorded.lost + alive);
    }),
  );
});
