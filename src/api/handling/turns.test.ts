import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

test('turns on a key go in order; other keys do not wait', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const first = await turns.take(['a', 'b']);
  assert.equal(first.waited, false);
  const second = turns.take(['b', 'c']).then((turn) => (order.push('second'), turn));
  const third = turns.take(['c']).then((turn) => (order.push('third'), turn));
  const other = await turns.take(['d']);
  assert.deepEqual([other.waited, order], [false, []]);
  first[Symbol.dispose]();
  const two = await second;
  assert.deepEqual([two.waited, order], [true, ['second']]);
  two[Symbol.dispose]();
  assert.equal((await third).waited, true);
  (await third)[Symbol.dispose]();
  other[Symbol.dispose]();
  const again = await turns.take(['a', 'b', 'c', 'd']);
  assert.equal(again.waited, false);
});

test('crossing sets of keys never lock each other out', async () => {
  const turns = new Turns();
  let held = 0;
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      using turn = await turns.take(index % 2 === 0 ? ['x', 'y'] : ['y', 'x']);
      assert.equal(turn.waited, index > 0);
      held += 1;
      assert.equal(held, 1);
      await Promise.resolve();
      held -= 1;
    }),
  );
});
