import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeEngine } from '../../../test/edge/fake-engine.ts';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import type { Applied } from '../../engines/engine.ts';
import { EngineCalls } from './engine-calls.ts';

function calling() {
  const clock = new ManualClock();
  const calls = new EngineCalls(new Map([['node' as const, fakeEngine('node')]]), clock);
  const lateness: boolean[] = [];
  const call = (run: () => Promise<Applied>) => calls.call('node', run, (isLate) => lateness.push(isLate));
  return { clock, calls, call, lateness };
}

test('an answer in time is never late; one after five seconds is late until it comes', async () => {
  const { clock, call, lateness } = calling();
  assert.deepEqual(await call(() => Promise.resolve({ ok: true })), { ok: true });
  assert.deepEqual(lateness.splice(0), [false]);
  const slow = Promise.withResolvers<Applied>();
  const answer = call(() => slow.promise);
  await clock.advance(4_999);
  assert.deepEqual(lateness, []);
  await clock.advance(1);
  assert.deepEqual(lateness, [true]);
  slow.resolve({ ok: false, reason: 'EACCES' });
  assert.deepEqual(await answer, { ok: false, reason: 'EACCES' });
  assert.deepEqual([lateness, clock.waiting], [[true, false], 0]);
});

test('64 at a time; a late one gives its place away', async () => {
  const { clock, call } = calling();
  let begun = 0;
  const never = (): Promise<Applied> => {
    begun += 1;
    return new Promise(() => {});
  };
  for (let n = 0; n < 70; n++) void call(never);
  await clock.advance(0);
  assert.equal(begun, 64);
  await clock.advance(5_000);
  assert.equal(begun, 70);
});

test('an engine that throws refuses; one that is not there is gone', async () => {
  const { calls, call } = calling();
  assert.deepEqual(await call(() => Promise.reject(new Error('boom'))), {
    ok: false,
    reason: 'the node engine failed: boom',
  });
  const gone = await calls.call(
    'uring',
    () => Promise.resolve({ ok: true }),
    () => {},
  );
  assert.deepEqual(gone, { ok: false, reason: 'the uring engine is gone' });
});
