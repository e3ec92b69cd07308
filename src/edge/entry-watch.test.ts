import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { silentLog } from '../observe/log.ts';
import type { PlannedRule } from '../plan/plan.ts';
import { EntryWatch, openHere } from './entry-watch.ts';

function watched(entries: Record<string, readonly string[]>, routed: readonly string[] = []) {
  const clock = new ManualClock();
  const here = new Set<string>();
  const asked: number[] = [];
  const changes: unknown[] = [];
  const rules = Object.entries(entries).map(([id, entries]) => ({ id, entries }) as PlannedRule);
  const watch = new EntryWatch({
    clock,
    here(addresses) {
      asked.push(addresses.length);
      return new Set(addresses.filter((address) => here.has(address)));
    },
    rules: () => rules,
    isRouted: (rule) => routed.includes(rule),
    log: silentLog,
  });
  watch.changed.listen((change) => changes.push(change));
  return { clock, here, watch, asked, changes };
}

test('an address that leaves is lost within two seconds, and no longer when it is back', async () => {
  const { clock, here, watch, changes } = watched({ a: ['192.0.2.1', '2001:db8::1'], b: ['192.0.2.1'] });
  here.add('192.0.2.1').add('2001:db8::1');
  await clock.advance(2_000);
  assert.deepEqual([changes, watch.alarms, [...watch.failures()]], [[], [], []]);
  here.delete('192.0.2.1');
  await clock.advance(2_000);
  assert.deepEqual(changes, [{ gone: ['192.0.2.1'], back: [], rules: new Set() }]);
  assert.match(watch.alarms.join(), /^not on this machine: entry address 192\.0\.2\.1; /);
  assert.deepEqual([...watch.failures()], [{ id: 'b', reason: 'entry address 192.0.2.1 is not on this machine' }]);
  here.add('192.0.2.1');
  await clock.advance(2_000);
  assert.deepEqual(changes.at(-1), { gone: [], back: ['192.0.2.1'], rules: new Set(['a', 'b']) });
  assert.deepEqual([watch.alarms, [...watch.lost]], [[], []]);
});

test('one that was never here is lost to a relay; an engine that rewrites packets may serve what is routed here', async () => {
  const { clock, here, watch } = watched(
    { relay: ['192.0.2.1'], kernel: ['192.0.2.2'], local: ['127.44.0.1', '::1', '0.0.0.0'] },
    ['kernel'],
  );
  await clock.advance(2_000);
  assert.deepEqual([...watch.lost], ['192.0.2.1']);
  here.add('192.0.2.2');
  await clock.advance(2_000);
  here.clear();
  await clock.advance(2_000);
  assert.deepEqual([...watch.lost], ['192.0.2.1', '192.0.2.2']);
});

test('one that was here when its rule came, and left before anyone looked, is lost', async () => {
  const rule = { id: 'kernel', entries: ['192.0.2.2', '127.44.0.1'] } as unknown as PlannedRule;
  const { clock, here, watch, asked } = watched({ kernel: rule.entries }, ['kernel']);
  here.add('192.0.2.2');
  watch.meet([rule]);
  watch.meet([rule]);
  assert.deepEqual(asked, [1]);
  here.clear();
  await clock.advance(2_000);
  assert.deepEqual([...watch.lost], ['192.0.2.2']);
});

test('of thousands of addresses each look asks for a part, and what it does not ask for stays as it was', async () => {
  const entries = Array.from({ length: 2_500 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  const { clock, watch, asked } = watched({ all: entries });
  const lost: number[] = [];
  for (let n = 0; n < 4; n++) {
    await clock.advance(2_000);
    lost.push(watch.lost.size);
  }
  assert.deepEqual(asked, [1_024, 1_024, 452, 1_024]);
  assert.deepEqual(lost, [1_024, 2_048, 2_500, 2_500]);
  assert.match(watch.alarms.join(), /10\.0\.0\.0, 10\.0\.0\.1, 10\.0\.0\.2 and 2497 more/);
});

const skip = process.platform === 'linux' ? false : 'asks the routing of Linux';

test('the system knows its own addresses, whole networks of them too', { skip }, async (t) => {
  const system = await openHere();
  t.after(() => system.close());
  const loopback = Array.from({ length: 200 }, (_, i) => `127.44.7.${i}`);
  assert.deepEqual(
    [...system.here([...loopback, '192.0.2.77', '::1', '2001:db8::77', 'nonsense'])],
    [...loopback, '::1'],
  );
});
