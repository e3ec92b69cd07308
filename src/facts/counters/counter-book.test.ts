import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { CounterReport, CountersOfRule } from '../../domain/fact/fact.ts';
import { silentLog } from '../../observe/log.ts';
import { openCounters } from './counter-file.ts';
import { CounterBook } from './counter-book.ts';

const counted = (rule: string, connections: number, more: Partial<CountersOfRule> = {}): CountersOfRule => ({
  rule,
  connections,
  active: 0,
  bytesIn: 0,
  bytesOut: 0,
  packetsIn: 0,
  packetsOut: 0,
  dropped: {},
  ends: {},
  ...more,
});
const report = (
  edge: string,
  epoch: string,
  counters: CountersOfRule[],
  more: Partial<CounterReport> = {},
): CounterReport => ({ edge, epoch, counters, gone: [], recordsLost: 0, ...more });
const shown = (book: CounterBook) =>
  [...book.all()].map(({ edge, counters: { rule, connections, active } }) => [edge, rule, connections, active]);

test('the last value of each rule and edge; what is gone is gone', () => {
  const book = new CounterBook(new ManualClock());
  book.report(report('e1', 'x', [counted('a', 1), counted('b', 1)], { recordsLost: 3 }));
  book.report(report('e2', 'y', [counted('a', 5, { dropped: { limit: 2 } })]));
  book.report(report('e1', 'x', [counted('a', 2, { dropped: { limit: 1 } })], { gone: ['b'], recordsLost: 1 }));
  assert.deepEqual(shown(book), [
    ['e1', 'a', 2, 0],
    ['e2', 'a', 5, 0],
  ]);
  assert.deepEqual(
    [book.ofRule('a').map(({ edge }) => edge), book.dropped('a'), Object.fromEntries(book.recordsLost())],
    [['e1', 'e2'], { limit: 3 }, { e1: 4, e2: 0 }],
  );
  book.forget('e2');
  assert.deepEqual(shown(book), [['e1', 'a', 2, 0]]);
});

test('a process that drains counts on beside the next one, in whatever order they tell', () => {
  const clock = new ManualClock();
  const book = new CounterBook(clock);
  book.report(report('e', 'old', [counted('a', 5, { active: 2, ends: { idle: 3 } })]));
  book.report(report('e', 'new', []));
  book.report(report('e', 'old', [counted('a', 6, { active: 1, ends: { idle: 5 } })], { draining: true }));
  book.report(report('e', 'new', [counted('a', 2, { active: 2, ends: { idle: 1 } })]));
  assert.deepEqual(shown(book), [['e', 'a', 8, 3]]);
  assert.deepEqual(book.ofRule('a')[0]?.counters.ends, { idle: 6 });
  // A rule that one of them no longer has may have moved; one that the next process has no longer is gone.
  book.report(report('e', 'old', [], { draining: true, gone: ['b'] }));
  book.report(report('e', 'old', [counted('a', 6, { ends: { idle: 6 } })], { draining: true }));
  assert.deepEqual(shown(book), [['e', 'a', 8, 2]]);
  book.report(report('e', 'new', [], { gone: ['a'] }));
  assert.deepEqual(shown(book), []);
});

test('what a killed process had open is over when the next one tells, or when it drained and is silent', async () => {
  const clock = new ManualClock();
  const book = new CounterBook(clock);
  book.report(report('e', 'killed', [counted('a', 5, { active: 5 })]));
  book.report(report('e', 'next', [counted('a', 1, { active: 1 })]));
  assert.deepEqual(shown(book), [['e', 'a', 6, 1]]);
  book.report(report('e', 'next', [counted('a', 3, { active: 3 })], { draining: true }));
  book.report(report('e', 'third', [counted('a', 1, { active: 1 })]));
  assert.deepEqual(shown(book), [['e', 'a', 9, 4]]);
  await clock.advance(20_000);
  assert.deepEqual(shown(book), [['e', 'a', 9, 1]]);
});

test('however many processes there were, nothing is lost and only a few are kept', () => {
  const book = new CounterBook(new ManualClock());
  for (let n = 0; n < 100; n++)
    book.report(report('e', `${n}`, [counted('a', 2, { active: 1, unrecorded: { lost: 1 } })], { recordsLost: 1 }));
  assert.deepEqual(shown(book), [['e', 'a', 200, 1]]);
  assert.deepEqual(book.ofRule('a')[0]?.counters.unrecorded, { lost: 100 });
  assert.deepEqual([...book.recordsLost()], [['e', 100]]);
  assert.ok(book.kept().length < 12, `${book.kept().length}`);
});

test('a restart of control forgets nothing of processes that are gone, and counts nothing twice', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-counters-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tools = { clock: new ManualClock(), log: silentLog };
  const open = (world: string) => openCounters(join(folder, 'counters.json'), world, tools);
  const first = await open('w');
  first.counters.report(report('e', 'old', [counted('a', 5, { active: 1 })]));
  first.counters.report(report('e', 'new', [counted('a', 1)]));
  first.counters.report(report('e', 'old', [counted('a', 7)], { draining: true }));
  await first.close();
  const second = await open('w');
  second.counters.report(report('e', 'new', [counted('a', 2)]));
  assert.deepEqual(shown(second.counters), [['e', 'a', 9, 0]]);
  await second.close();
  const other = await open('another');
  assert.deepEqual(shown(other.counters), []);
  await other.close();
});

test('of rules that are no more the past goes, once no running process tells them', () => {
  const book = new CounterBook(new ManualClock());
  book.report(report('e', 'old', [counted('a', 1), counted('b', 1), counted('c', 1)]));
  assert.equal(book.hasPast(), false);
  book.report(report('e', 'new', [counted('a', 1)]));
  assert.equal(book.hasPast(), true);
  book.forgetRules((rule) => rule === 'b');
  assert.deepEqual(shown(book), [
    ['e', 'a', 2, 0],
    ['e', 'b', 1, 0],
  ]);
});
