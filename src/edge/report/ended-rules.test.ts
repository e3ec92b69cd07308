import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndedRules } from './ended-rules.ts';
import { createCounters } from '../../engines/flow/counters.ts';

const MINUTE = 60_000;
const counted = (connections: number, active = 0) => ({ ...createCounters(), connections, active });

test('a rule that is deleted is told with its last words for four minutes, then no more; one that is off, always', () => {
  const ended = new EndedRules();
  const all = new Map([
    ['gone', counted(3)],
    ['off', counted(5)],
  ]);
  const at = (minutes: number) => [...ended.without(all, (rule) => rule === 'off', minutes * MINUTE).keys()];
  assert.deepEqual(
    [at(0), at(3.9)],
    [
      ['gone', 'off'],
      ['gone', 'off'],
    ],
  );
  assert.deepEqual([at(4), at(60)], [['off'], ['off']]);
  // A connection that was kept has ended: that is another last word.
  all.set('gone', counted(4));
  assert.deepEqual([at(61), at(64.9), at(65)], [['gone', 'off'], ['gone', 'off'], ['off']]);
});

test('as long as a connection of it lives, and when it comes back, it is told', () => {
  const ended = new EndedRules();
  const all = new Map([['a', counted(3, 1)]]);
  let isThere = false;
  const at = (minutes: number): number => ended.without(all, () => isThere, minutes * MINUTE).size;
  assert.deepEqual([at(0), at(10)], [1, 1]);
  all.set('a', counted(3));
  assert.deepEqual([at(11), at(15)], [1, 0]);
  isThere = true;
  assert.equal(at(16), 1);
});
