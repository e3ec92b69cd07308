import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TargetStates } from './target-states.ts';

test('of 256 turns a target takes as many as its share says, evenly spread, whichever threads ask', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 255 }), fc.nat(300), (share, before) => {
      const states = new TargetStates();
      const threads = [states, new TargetStates(states.memory)];
      states.set({ target: 7, state: 'up', share });
      for (let turn = 0; turn < before; turn++) states.admits(7);
      const taken = Array.from({ length: 256 }, (_, turn) => (threads[turn % 2]!.admits(7) ? turn : -1)).filter(
        (turn) => turn >= 0,
      );
      assert.equal(taken.length, share);
      for (const [i, turn] of taken.entries())
        assert.ok(Math.abs(turn - taken[0]! - (i * 256) / share) < 1, `${share} of 256: ${taken.join()}`);
    }),
  );
});

test('a target that is up without a share is whole; one that is shut takes no part', () => {
  const states = new TargetStates();
  const all = (): unknown[] => [states.isWhole(3), states.admits(3), states.partOf(3)];
  assert.deepEqual(all(), [true, true, 1]);
  states.set({ target: 3, state: 'up', share: 64 });
  assert.deepEqual(all(), [false, true, 0.25]);
  states.set({ target: 3, state: 'down' });
  assert.deepEqual([states.isWhole(3), states.partOf(3)], [true, 0]);
  states.set({ target: 3, state: 'try' });
  assert.equal(states.partOf(3), 1);
  states.take(3);
  assert.equal(states.partOf(3), 0);
  states.set({ target: 1 << 30, state: 'down', share: 3 });
  assert.deepEqual([states.isWhole(1 << 30), states.admits(1 << 30), states.partOf(1 << 30)], [true, true, 1]);
});
