import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/suites/engine/fixture.ts';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { silentLog } from '../observe/log.ts';
import { openMemory } from '../store/memory/memory.ts';
import { keys } from '../store/records.ts';
import { forgetEnded } from './ended-records.ts';

test('bans and states of origins that have ended leave the world; the others stay', async () => {
  const clock = new ManualClock();
  const store = openMemory({ clock, log: silentLog });
  const left = (): Promise<[number, number]> =>
    store.read((view) => [view.count(keys.allBans()), view.count(keys.allOriginStates())]);
  const until = (n: number) => n % 2 === 0 && { until: clock.now() + 15_000 };
  const bans = Array.from({ length: 2_500 }, (_, n) => {
    const network = `10.0.${n >> 8}.${n & 255}`;
    return { key: keys.ban('sid-1', network), value: { network, ...until(n) } };
  });
  const states = Array.from({ length: 1_200 }, (_, n) => {
    const host = `origin-${n}.test`;
    return { key: keys.originState('zone-a', host), value: { host, state: 'down', ...until(n) } };
  });
  await store.commit([...bans, ...states], []);
  using _looking = forgetEnded(store, clock);
  await clock.advance(10_000);
  assert.deepEqual(await left(), [2_500, 1_200]);
  await eventually(async () => {
    await clock.advance(10_000);
    assert.deepEqual(await left(), [1_250, 600]);
  });
  await store.close();
});
