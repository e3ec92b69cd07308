/**
 * Takes records that have ended out of the world, bans of networks and states of origins that were set for a time: edges end
 * them by themselves, but the records would stay. Some at a time, round and round. One that is changed meanwhile stays; other
 * controls of the same store may do it too. Made by services.ts.
 */
import { type Ending, isStanding } from '../domain/until.ts';
import type { Clock } from '../lib/clock.ts';
import { keys, type Prefix } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** limit: a few milliseconds a look; the 10,000 bans of an instance take two minutes. */
const LOOK_MS = 10_000;
const AT_ONCE = 1_000;

/** The store's failures are its own to tell; the next look comes anyway. */
export function forgetEnded(store: Store, clock: Clock): Disposable {
  const looks = [keys.allBans(), keys.allOriginStates()].map((prefix) => looking(store, clock, prefix));
  const turn = clock.every(LOOK_MS, () => {
    for (const look of looks) void look().catch(() => {});
  });
  return { [Symbol.dispose]: () => turn.cancel() };
}

function looking(store: Store, clock: Clock, prefix: Prefix<Ending>): () => Promise<void> {
  let offset = 0;
  return async () => {
    const now = clock.now();
    const found = await store.read((view) => view.list(prefix, { offset, limit: AT_ONCE }));
    const ended = found.filter(({ value }) => !isStanding(value as Ending, now));
    offset = found.length < AT_ONCE ? 0 : offset + found.length - ended.length;
    if (ended.length === 0) return;
    await store.commit(
      ended.map(({ key }) => ({ key, value: undefined })),
      ended.map(({ key, revision }) => ({ key, revision })),
    );
  };
}
