import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budget } from './budget.ts';

test('who finds no descriptor waits in line and goes when one is free', () => {
  const budget = new Budget({ descriptors: 2, waiting: 2 });
  const ran: string[] = [];
  const enter = (name: string) => budget.queue(() => ran.push(name));
  enter('a');
  enter('b');
  const c = enter('c');
  const d = enter('d');
  assert.equal(enter('e'), undefined);
  assert.deepEqual([budget.held, budget.waits, budget.refusals, ran.join('')], [2, 2, 1, 'ab']);
  // Nobody jumps the line.
  assert.equal(budget.tryHold(), false);
  budget.release();
  assert.equal(ran.join(''), 'abc');
  assert.equal(c?.cancel(), false);
  assert.equal(d?.cancel(), true);
  budget.release(2);
  assert.deepEqual([budget.held, ran.join('')], [0, 'abc']);
  assert.equal(budget.tryHold(), true);
});

test('descriptors of the rest of the process count', () => {
  const budget = new Budget({ descriptors: 10, waiting: 1 });
  budget.setOthers(10);
  let ran = 0;
  budget.queue(() => ran++);
  assert.equal(budget.tryHold(), false);
  assert.equal(budget.room, 0);
  budget.setOthers(9);
  assert.deepEqual([ran, budget.held], [1, 1]);
});

test('what exists already is held, room or not', () => {
  const budget = new Budget({ descriptors: 1, waiting: 1 });
  budget.hold();
  budget.hold();
  assert.equal(budget.tryHold(), false);
  budget.release(2);
  assert.equal(budget.tryHold(), true);
});
