import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../test/suites/engine/fixture.ts';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { silentLog } from '../observe/log.ts';
import { openMemory } from '../store/memory/memory.ts';
import { keys } from '../store/records.ts';
import { forgetEndedBans } from './ended-bans.ts';

test('bans that have ended leave the world; the others stay', async () => {
  const clock = new ManualClock();
  const store = openMemory({ clock, log: silentLog });
  const left = (): Promise<number> => store.read((view) => view.count(keys.allBans()));
  const bans = Array.from({ length: 2_500 }, (_, n) => {
    const network = `10.0.${n >> 8}.${n & 255}`;
    return { key: keys.ban('sid-1', network), value: { network, ...(n % 2 === 0 && { until: clock.now() + 15_000 }) } };
  });
  await store.commit(bans, []);
  using _looking = forgetEndedBans(store, clock);
  await clock.advance(10_000);
  assert.equal(await left(), 2_500);
  await eventually(async () => {
    await clock.advance(10_000);
    assert.equal(await left(), 1_250);
  });
  await store.close();
});
