/**
 * Brings a world to what a start's settings say: all of the first world where it is new, and later only what settings
 * decide (the root key pair, the zone's existence, the local site's addresses). Called by control before it serves.
 */
import type { Account } from '../domain/account/account.ts';
import { firstWorld, type Seed } from '../domain/zone/seed.ts';
import type { Clock } from '../lib/clock.ts';
import { type Key, keys } from './records.ts';
import type { Change, Guard, Store, Stored, View } from './store.ts';

/** May be called at every start; writes nothing where nothing differs. */
export async function seedWorld(store: Store, seed: Seed, clock: Clock): Promise<void> {
  for (;;) {
    const { changes, guards } = await store.read((view) => differences(view, seed, clock.now()));
    if ((await store.commit(changes, guards)).ok) return;
  }
}

function differences(view: View, seed: Seed, now: number): { changes: Change[]; guards: Guard[] } {
  const { account, keyPair, plan, zone, site } = firstWorld(seed, now);
  const changes: Change[] = [];
  const guards: Guard[] = [];
  function put<T>(key: Key<T>, value: T | undefined, unless: (kept: T) => boolean): void {
    const kept = view.get(key) as Stored<T> | undefined;
    guards.push({ key, revision: kept?.revision ?? 0 });
    if (kept === undefined || !unless(kept.value)) changes.push({ key, value });
  }
  // A pair that earlier settings gave and these don't must stop working: that is how a leaked secret is replaced.
  const before = (view.get(keys.account(account.id)) as Stored<Account> | undefined)?.value;
  if (before?.rootKey !== undefined && before.rootKey !== account.rootKey) {
    put(keys.keyPair(before.rootKey), undefined, () => false);
  }
  put(
    keys.account(account.id),
    { ...account, ...before, rootKey: seed.secretId },
    (kept) => kept.rootKey === seed.secretId,
  );
  put(keys.plan(plan.id), plan, () => true);
  put(keys.zone(zone.id), zone, () => true);
  put(keys.site(site.id), site, (kept) => JSON.stringify(kept.pool) === JSON.stringify(site.pool));
  put(keys.keyPair(keyPair.secretId), keyPair, (kept) => kept.secretKey === keyPair.secretKey);
  return { changes, guards };
}
