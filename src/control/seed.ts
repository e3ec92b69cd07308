/**
 * The records that exist from the start: the account with its root key pair, the zone on an enterprise plan, the local
 * site with its entry addresses. Committed at every start, and a commit of nothing where nothing has changed.
 */
import type { Account, KeyPair } from '../domain/account/account.ts';
import type { Site } from '../domain/site/site.ts';
import { THIS_WRITE } from '../domain/stamp.ts';
import type { Plan, Zone } from '../domain/zone/zone.ts';
import type { Clock } from '../lib/clock.ts';
import { cloudId, type Rng } from '../lib/rng.ts';
import { keys } from '../store/records.ts';
import type { Change, Store, View } from '../store/store.ts';

export interface Seed {
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
  readonly site: string;
  /** Entry addresses as the settings have them. */
  readonly addresses: readonly string[];
}

/** wire: the form of the cloud's numbers (uin and AppId). */
const ACCOUNT = '100000000001';
const APP_ID = 1_250_000_001;
const TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000;

/** Another control that starts on the same store may win the race; then there is less left to do, or nothing. */
export async function seedWorld(store: Store, seed: Seed, clock: Clock, rng: Rng): Promise<void> {
  for (;;) {
    const { changes, guards } = await store.read((view) => decide(view, seed, clock.now(), rng));
    if (changes.length === 0 || (await store.commit(changes, guards)).ok) return;
  }
}

function decide(view: View, seed: Seed, now: number, rng: Rng) {
  const changes = [...account(view, seed, now), ...zone(view, seed, now, rng), ...site(view, seed)];
  return { changes, guards: changes.map(({ key }) => ({ key, revision: view.get(key)?.revision ?? 0 })) };
}

/** A pair that the settings replaced is worth nothing any more. */
function account(view: View, { secretId, secretKey }: Seed, now: number): Change[] {
  const known = valueOf<Account>(view, keys.account(ACCOUNT));
  const pair = valueOf<KeyPair>(view, keys.keyPair(secretId));
  const changes: Change[] = [];
  if (known?.rootKey !== secretId) {
    const record: Account = { id: ACCOUNT, appId: APP_ID, features: [], ...known, rootKey: secretId };
    changes.push({ key: keys.account(ACCOUNT), value: record });
    if (known?.rootKey !== undefined) changes.push({ key: keys.keyPair(known.rootKey), value: undefined });
  }
  if (pair?.secretKey !== secretKey) {
    const record: KeyPair = { secretId, secretKey, account: ACCOUNT, user: 'root', policies: [], createdAt: now };
    changes.push({ key: keys.keyPair(secretId), value: record });
  }
  return changes;
}

function zone(view: View, { zoneId: id }: Seed, now: number, rng: Rng): Change[] {
  if (valueOf<Zone>(view, keys.zone(id))) return [];
  const plan: Plan = {
    id: cloudId(rng, 'edgeone'),
    account: ACCOUNT,
    type: 'plan-enterprise',
    area: 'global',
    status: 'normal',
    autoRenewal: true,
    enabledAt: now,
    expiresAt: now + TEN_YEARS_MS,
  };
  const zone: Zone = {
    id,
    account: ACCOUNT,
    name: '',
    alias: '',
    type: 'noDomainAccess',
    area: '',
    paused: false,
    changed: THIS_WRITE,
    planId: plan.id,
    tags: [],
    vanityNameServers: { enabled: false, servers: [] },
    createdAt: now,
    modifiedAt: now,
  };
  return [
    { key: keys.plan(plan.id), value: plan },
    { key: keys.zone(id), value: zone },
  ];
}

function site(view: View, { site: id, addresses: pool }: Seed): Change[] {
  const known = valueOf<Site>(view, keys.site(id));
  if (known && known.pool.join() === pool.join()) return [];
  const record: Site = { areas: ['mainland', 'overseas'], ...known, id, pool };
  return [{ key: keys.site(id), value: record }];
}

function valueOf<T>(view: View, key: string): T | undefined {
  return view.get(key)?.value as T | undefined;
}
