/**
 * Brings a world to what a start's settings say: all of the first world where it is new, and later only what settings
 * decide (the root key pair, that the zone exists, the local site's addresses). Called before anything is served.
 */
import { firstWorld, type Seed } from '../domain/zone/seed.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../observe/log.ts';
import { NotWritable } from '../store/errors.ts';
import { type Key, keys } from '../store/records.ts';
import type { Change, Guard, Store, Stored, View } from '../store/store.ts';

/** Another control that starts on the same store may win the race; then there is less left to do, or nothing. */
export async function seedWorld(store: Store, seed: Seed, clock: Clock): Promise<void> {
  for (;;) {
    const { changes, guards } = await store.read((view) => differences(view, seed, clock.now()));
    if ((await store.commit(changes, guards)).ok) return;
  }
}

const AGAIN_MS = 2_000;

/** The same where the store takes nothing just now: what is there is served, and it is tried again. */
export async function seedPatiently(store: Store, seed: Seed, clock: Clock, log: Log): Promise<Disposable> {
  let again: Timer | undefined;
  const tryOnce = (): Promise<boolean> =>
    seedWorld(store, seed, clock).then(
      () => true,
      (error: unknown) => {
        if (error instanceof NotWritable) return false;
        throw error;
      },
    );
  if (!(await tryOnce())) {
    log.warn('settings that changed are not in the desired state until it can be written');
    again = clock.every(
      AGAIN_MS,
      () =>
        void tryOnce().then(
          (done) => done && again?.cancel(),
          () => {},
        ),
    );
  }
  return { [Symbol.dispose]: () => again?.cancel() };
}

function differences(view: View, seed: Seed, now: number): { changes: Change[]; guards: Guard[] } {
  const first = firstWorld(seed, now);
  const changes: Change[] = [];
  const guards: Guard[] = [];
  /** Sees to it that the record is there and as `wanted` makes it of the one that is kept. */
  function ensure<T>(key: Key<T>, wanted: (kept: T | undefined) => T | undefined): T | undefined {
    const stored = view.get(key) as Stored<T> | undefined;
    const value = wanted(stored?.value);
    guards.push({ key, revision: stored?.revision ?? 0 });
    if (value !== stored?.value) changes.push({ key, value });
    return stored?.value;
  }
  const { secretId, secretKey } = seed;
  const known = ensure(keys.account(first.account.id), (kept) =>
    kept?.rootKey === secretId ? kept : { ...first.account, ...kept, rootKey: secretId },
  );
  // A pair that earlier settings gave and these don't is worth nothing any more: so a leaked secret is replaced.
  if (known?.rootKey !== undefined && known.rootKey !== secretId) ensure(keys.keyPair(known.rootKey), () => undefined);
  ensure(keys.keyPair(secretId), (kept) => (kept?.secretKey === secretKey ? kept : first.keyPair));
  ensure(keys.plan(first.plan.id), (kept) => kept ?? first.plan);
  ensure(keys.zone(seed.zoneId), (kept) => kept ?? first.zone);
  ensure(keys.site(seed.site), (kept) =>
    kept?.pool.join() === seed.addresses.join() ? kept : { ...first.site, ...kept, pool: seed.addresses },
  );
  return { changes, guards };
}
