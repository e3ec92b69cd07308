import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEED_PLAN, type Seed } from '../domain/zone/seed.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../observe/log.ts';
import { keys, stamped } from '../store/records.ts';
import { openStore } from '../store/registry.ts';
import type { Store } from '../store/store.ts';
import { seedWorld } from './seed.ts';

const SEED: Seed = {
  secretId: 'AKIDone',
  secretKey: 'secret',
  zoneId: 'zone-3kq782jghthh',
  site: 'local',
  addresses: ['127.44.0.0/16'],
};
const open = (): Promise<Store> => openStore('memory:', { clock: systemClock, log: silentLog });
const get = <T>(store: Store, key: ReturnType<typeof keys.zone> | string) =>
  store.read((view) => {
    const stored = view.get(key);
    return stored && stamped<T>(stored);
  });

test('a first start makes an active zone on an enterprise plan, served by the local site', async () => {
  const store = await open();
  await seedWorld(store, SEED, systemClock);
  const zone = await get<{ planId: string; type: string; paused: boolean; changed: number }>(
    store,
    keys.zone(SEED.zoneId),
  );
  assert.deepEqual([zone?.planId, zone?.type, zone?.paused, zone?.changed], [SEED_PLAN, 'noDomainAccess', false, 1]);
  assert.equal((await get<{ type: string }>(store, keys.plan(SEED_PLAN)))?.type, 'plan-enterprise');
  assert.deepEqual(await get(store, keys.site('local')), {
    id: 'local',
    pool: SEED.addresses,
    areas: ['mainland', 'overseas'],
  });
  assert.equal((await get<{ user: string }>(store, keys.keyPair('AKIDone')))?.user, 'root');
});

test('a later start with the same settings writes nothing', async () => {
  const store = await open();
  await seedWorld(store, SEED, systemClock);
  await seedWorld(store, SEED, systemClock);
  assert.equal(await store.read((view) => view.revision), 1);
});

test('a later start takes new settings and keeps everything else', async () => {
  const store = await open();
  await seedWorld(store, SEED, systemClock);
  const made = { secretId: 'AKIDmade', secretKey: 's', account: 'a', user: 'root', policies: [], createdAt: 0 };
  const paused = { ...(await get<object>(store, keys.zone(SEED.zoneId))), paused: true };
  await store.commit(
    [
      { key: keys.keyPair('AKIDmade'), value: made },
      { key: keys.zone(SEED.zoneId), value: paused },
    ],
    [],
  );
  await seedWorld(store, { ...SEED, secretId: 'AKIDtwo', addresses: ['10.0.0.1'] }, systemClock);
  const names = await store.read((view) => view.list(keys.keyPairs()).map(({ key }) => key));
  assert.deepEqual(names, ['key/AKIDmade', 'key/AKIDtwo']);
  assert.deepEqual((await get<{ pool: string[] }>(store, keys.site('local')))?.pool, ['10.0.0.1']);
  assert.equal((await get<{ paused: boolean }>(store, keys.zone(SEED.zoneId)))?.paused, true);
  await seedWorld(store, { ...SEED, secretId: 'AKIDtwo', secretKey: 'changed', addresses: ['10.0.0.1'] }, systemClock);
  assert.equal((await get<{ secretKey: string }>(store, keys.keyPair('AKIDtwo')))?.secretKey, 'changed');
});
