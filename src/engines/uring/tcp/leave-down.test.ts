/** The walk for connections whose origin is down, on a worker's real tables: what ends, when, and how many at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { options, workerRule } from '../../../../test/suites/engine/listener.ts';
import { Shares } from '../../flow/shares.ts';
import { TargetStates } from '../../flow/target-states.ts';
import { Wheel } from '../ring/wheel.ts';
import { Budget } from '../worker/budget.ts';
import { newRow, sumRows } from '../worker/counters.ts';
import { OutcomeCounter, outcomeMemory } from '../worker/outcomes.ts';
import { RecordWriter, recordMemory } from '../worker/records.ts';
import { Rules } from '../worker/rules.ts';
import type { Tcp } from './connection.ts';

const skip = process.platform !== 'linux' && 'needs Linux';
const SLOTS = 12_000;
const MOST_ENDS = 8;

async function worker(unhealthy: 'keep' | 'drain' | 'reset') {
  const { RELAYING, Slots } = await import('./slots.ts');
  const { LeaveDown } = await import('./leave-down.ts');
  const { begin } = await import('./connection.ts');
  const states = new TargetStates();
  const rules = new Rules(states);
  const row = newRow();
  const entry = { fd: -1, address: '192.0.2.1', port: 80, originPort: 8080 };
  const targets = [1, 2].map((number) => ({ number, address: `10.0.0.${number}`, weight: 1 }));
  const care = options({ unhealthy, drain: { how: 'keep', seconds: 5 }, recordOneIn: 0 });
  const spec = workerRule('', [entry], row, { targets, turns: [Uint16Array.of(0, 1)], options: care });
  rules.apply(spec);
  const clock = { now: 0 };
  const slots = new Slots(SLOTS, new SharedArrayBuffer(8 * SLOTS));
  // What an end needs of a worker, where no socket is open and nothing is under way.
  const tcp = {
    clock,
    rules,
    slots,
    budget: new Budget(2 * SLOTS),
    shares: new Shares(2 * SLOTS, 1),
    wheel: new Wheel(SLOTS, 50, 1024, 0),
    records: new RecordWriter(recordMemory()),
    outcomes: new OutcomeCounter(outcomeMemory()),
    buffers: { next: [] },
  } as unknown as Tcp;
  return {
    clock,
    leaving: new LeaveDown(),
    tcp,
    say: (target: number, state: 'up' | 'down' | 'try') => states.set({ target, state }, clock.now),
    /** Connections with this target; `dials`: it has not answered yet. */
    connect: (count: number, target: number, dials = false): number[] =>
      Array.from({ length: count }, () => {
        const slot = slots.take(-1, 0, clock.now);
        slots.dials.target[slot] = target;
        begin(tcp, slot);
        if (!dials) slots.state[slot] = RELAYING;
        return slot;
      }),
    answered: (taken: readonly number[]) => taken.forEach((slot) => (slots.state[slot] = RELAYING)),
    ends: (): unknown => sumRows([row]).ends,
    open: (): number => SLOTS - slots.available,
  };
}

test('10,000 connections end in parts of so many, and those with another origin stay', { skip }, async () => {
  const { leaving, tcp, say, connect, ends, open } = await worker('reset');
  connect(10_000, 1);
  connect(1_000, 2);
  say(1, 'down');
  leaving.restart();
  let parts = 0;
  for (let before = open(); leaving.isWalking; before = open(), parts++) {
    leaving.walk(tcp);
    assert.ok(before - open() <= MOST_ENDS);
  }
  assert.deepEqual([open(), ends()], [1_000, { unhealthy: 10_000 }]);
  assert.ok(parts <= Math.ceil(10_000 / MOST_ENDS) + Math.ceil(SLOTS / 8192), `${parts}`);
  assert.ok(!leaving.isDue(1e15));
});

test('a drain ends by the clock, unless the origin is up by then or no other one is', { skip }, async () => {
  const { clock, leaving, tcp, say, connect, open } = await worker('drain');
  const walk = (): void => {
    leaving.restart();
    while (leaving.isWalking) leaving.walk(tcp);
  };
  connect(3, 1);
  clock.now = 1_000;
  say(1, 'down');
  walk();
  assert.deepEqual([leaving.isDue(5_999), leaving.isDue(6_000), open()], [false, true, 3]);
  say(1, 'up');
  walk();
  assert.ok(!leaving.isDue(1e9));
  say(1, 'down');
  say(2, 'down');
  walk();
  assert.ok(!leaving.isDue(1e9));
  clock.now = 9_000;
  say(2, 'up');
  walk();
  assert.equal(open(), 0);
});

test('one that was dialling when its origin went down is looked at again; `keep` ends none', { skip }, async () => {
  const { clock, leaving, tcp, say, connect, answered, open, ends } = await worker('reset');
  const late = connect(1, 1, true);
  say(1, 'down');
  leaving.restart();
  while (leaving.isWalking) leaving.walk(tcp);
  assert.equal(open(), 1);
  answered(late);
  clock.now = 250;
  assert.ok(leaving.isDue(clock.now));
  leaving.walk(tcp);
  while (leaving.isWalking) leaving.walk(tcp);
  assert.deepEqual([open(), ends()], [0, { unhealthy: 1 }]);
  const kept = await worker('keep');
  kept.connect(5, 1);
  kept.say(1, 'down');
  kept.leaving.restart();
  while (kept.leaving.isWalking) kept.leaving.walk(kept.tcp);
  assert.deepEqual([kept.open(), kept.leaving.isDue(1e9)], [5, false]);
});
