import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Wheel } from './wheel.ts';

test('an entry fires once, at its tick or the next', () => {
  const wheel = new Wheel(4, 10, 8, 1000);
  const fired: number[] = [];
  const note = (entry: number): void => void fired.push(entry);
  wheel.set(2, 1035);
  for (let now = 1000; now < 1040; now += 5) wheel.advance(now, note);
  assert.equal(fired.length, 0);
  wheel.advance(1040, note);
  wheel.advance(9000, note);
  assert.deepEqual(fired, [2]);
  assert.equal(wheel.count, 0);
});

test('a cleared entry never fires, and clearing twice is fine', () => {
  const wheel = new Wheel(2, 10, 8, 0);
  wheel.set(0, 20);
  wheel.set(1, 20);
  wheel.clear(0);
  wheel.clear(0);
  const fired: number[] = [];
  const note = (entry: number): void => void fired.push(entry);
  wheel.advance(1000, note);
  assert.deepEqual(fired, [1]);
});

test('beyond the horizon it fires early, so that the caller can set it again', () => {
  const wheel = new Wheel(1, 10, 8, 0);
  let early = 0;
  let now = 0;
  const fire = (): void => {
    if (now >= 500) return;
    early++;
    wheel.set(0, 500);
  };
  wheel.set(0, 500);
  for (; wheel.count > 0; now += 10) wheel.advance(now, fire);
  assert.ok(now >= 500 && now <= 520, `fired at ${now}`);
  assert.ok(early >= 5);
});

test('against a model: whatever is set and cleared, exactly the due entries fire', () => {
  const step = fc.record({ entry: fc.nat(7), ahead: fc.integer({ min: -20, max: 150 }), clear: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(200))), (steps) => {
      const wheel = new Wheel(8, 10, 4, 0);
      const due = new Map<number, number>();
      let now = 0;
      for (const [{ entry, ahead, clear }, pass] of steps) {
        if (clear) {
          wheel.clear(entry);
          due.delete(entry);
        } else {
          wheel.set(entry, now + ahead);
          // What was due before it was set is late from now on, not since then.
          due.set(entry, now + Math.max(0, ahead));
        }
        now += pass;
        wheel.advance(now, (fired) => {
          const at = due.get(fired);
          assert.ok(at !== undefined, 'fired without being set');
          if (at > now) wheel.set(fired, at);
          else due.delete(fired);
        });
        for (const at of due.values()) assert.ok(at > now - 20, 'late by more than a tick');
        assert.equal(wheel.count, due.size);
      }
    }),
  );
});
