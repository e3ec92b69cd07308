import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OriginState } from '../../domain/fact/health.ts';
import { MOST_TARGETS, TargetStates } from './target-states.ts';
import { NEVER } from './verdict.ts';

test('of 256 turns a target takes as many as its share says, evenly spread, whichever threads ask', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 255 }), fc.nat(300), (share, before) => {
      const states = new TargetStates();
      const threads = [states, new TargetStates(states.memory)];
      states.set({ target: 7, state: 'up', share }, 0);
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
  states.set({ target: 3, state: 'up', share: 64 }, 0);
  assert.deepEqual(all(), [false, true, 0.25]);
  states.set({ target: 3, state: 'down' }, 0);
  assert.deepEqual([states.isWhole(3), states.partOf(3)], [true, 0]);
  states.set({ target: 3, state: 'try' }, 0);
  assert.equal(states.partOf(3), 1);
  states.take(3);
  assert.equal(states.partOf(3), 0);
  states.set({ target: 1 << 30, state: 'down', share: 3 }, 0);
  assert.deepEqual([states.isWhole(1 << 30), states.admits(1 << 30), states.partOf(1 << 30)], [true, true, 1]);
});

test('a target is down since it was up last, whatever is tried in between', () => {
  const states = new TargetStates();
  const say = (state: OriginState, now: number): void => states.set({ target: 7, state }, now);
  assert.equal(states.downSince(7), NEVER);
  say('down', 100);
  assert.equal(states.downSince(7), 100);
  say('try', 200);
  assert.equal(states.downSince(7), NEVER);
  assert.ok(states.take(7));
  assert.equal(states.downSince(7), NEVER);
  say('down', 300);
  say('down', 400);
  assert.equal(states.downSince(7), 100);
  say('up', 500);
  assert.equal(states.downSince(7), NEVER);
  say('down', 600);
  assert.equal(states.downSince(7), 600);
});

test('threads see one table; a target beyond it is up always', () => {
  const states = new TargetStates();
  const elsewhere = new TargetStates(states.memory);
  for (const target of [0, MOST_TARGETS - 1, MOST_TARGETS]) states.set({ target, state: 'down' }, 1_000);
  const seen = [0, MOST_TARGETS - 1, MOST_TARGETS, 1].map((target) => elsewhere.downSince(target));
  assert.deepEqual(seen, [1_000, 1_000, NEVER, NEVER]);
  assert.ok(elsewhere.isUp(MOST_TARGETS) && !elsewhere.isLeft(MOST_TARGETS));
});
