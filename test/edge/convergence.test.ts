/** T33: changes that get lost between store and wire, below every check of the wire, are found and healed by the beat. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLinkClient } from '../../src/link/client.ts';
import { Replica } from '../../src/link/replica.ts';
import { seededRng } from '../../src/lib/rng.ts';
import type { Store, WatchEvent } from '../../src/store/store.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { ManualClock } from '../world/manual-clock.ts';
import { controlEnd, watchedThrough } from './control-end.ts';

async function* losing(events: AsyncIterable<WatchEvent>, lose: () => boolean): AsyncGenerator<WatchEvent> {
  for await (const event of events)
    yield event.kind === 'batch' ? { ...event, changes: event.changes.filter(() => !lose()) } : event;
}

test('an edge that missed changes is whole again within two beats', async () => {
  const clock = new ManualClock();
  const rng = seededRng(5);
  let lost = 0;
  const lose = () => rng.below(3) === 0 && ++lost > 0;
  // Of the streams to edges, not of control's own watcher, one change in three never arrives.
  const through = (store: Store) => watchedThrough(store, (events, n) => (n === 0 ? events : losing(events, lose)));
  await using control = await controlEnd({ clock, through });
  const replica = new Replica();
  const ending = new AbortController();
  const reasons: string[] = [];
  const client = createLinkClient(
    { kind: 'socket', path: control.socket },
    { edge: 'e', site: 's', version: '1' },
    { clock, rng },
  );
  const sink = { connected() {}, step() {}, disconnected: (reason: string) => reasons.push(reason) };
  const following = client.follow(replica, sink, ending.signal);
  await eventually(() => assert.equal(replica.world, control.store.world));
  for (let round = 0; round < 5; round++) {
    const before = lost;
    for (let n = 0; lost === before || n < 10; n++) await control.put({ [`proxy/z/p${n % 7}`]: { round, n } });
    const whole = await control.store.read((view) => [view.revision, view.list('proxy/').map(({ value }) => value)]);
    await eventually(() => assert.equal(replica.revision, whole[0]));
    await clock.advance(2_000);
    await eventually(async () => {
      // Not another beat: only the time a reconnection takes.
      await clock.advance(300);
      const shown = [...replica.records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { value }]) => value);
      assert.deepEqual([replica.revision, shown], whole);
    });
  }
  ending.abort();
  await following;
  client.close();
  assert.ok(reasons.filter((reason) => /records differ/.test(reason)).length >= 5, reasons.join());
});
