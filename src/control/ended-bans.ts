/**
 * Takes bans that have ended out of the world: edges stop enforcing them by themselves, but their records would stay. Some
 * at a time, round and round. A ban that is changed meanwhile stays; other controls of the same store may do it too.
 */
import { type BanRecord, isStanding } from '../domain/limit/networks.ts';
import type { Clock } from '../lib/clock.ts';
import { keys } from '../store/records.ts';
import type { Store } from '../store/store.ts';

/** limit: a few milliseconds a look; the 10,000 bans of an instance take two minutes. */
const LOOK_MS = 10_000;
const AT_ONCE = 1_000;

/** The store's failures are its own to tell; the next look comes anyway. */
export function forgetEndedBans(store: Store, clock: Clock): Disposable {
  let offset = 0;
  const looking = clock.every(LOOK_MS, () => void look().catch(() => {}));

  async function look(): Promise<void> {
    const now = clock.now();
    const found = await store.read((view) => view.list(keys.allBans(), { offset, limit: AT_ONCE }));
    const ended = found.filter(({ value }) => !isStanding(value as BanRecord, now));
    offset = found.length < AT_ONCE ? 0 : offset + found.length - ended.length;
    if (ended.length === 0) return;
    await store.commit(
      ended.map(({ key }) => ({ key, value: undefined })),
      ended.map(({ key, revision }) => ({ key, revision })),
    );
  }

  return { [Symbol.dispose]: () => looking.cancel() };
}
