/** Backups of a world at work and of one at rest, and what a backup refuses. */
import assert from 'node:assert/strict';
import { mkdtemp, open as openFile, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { StoreUnusable } from '../errors.ts';
import { openStore } from '../registry.ts';
import type { EdgeCopy, Store } from '../store.ts';
import { backup } from './backup.ts';

let folder: string;
let path: string;
let target: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgefour-backup-'));
  path = join(folder, 'world.db');
  target = join(folder, 'copy');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (file: string): Promise<Store> => openStore(`sqlite:${file}`, { clock: systemClock, log: silentLog });
const contents = (store: Store) => store.read((view) => ({ at: view.revision, records: view.list('a/') }));

test('a backup of a world at work is that world at one revision, under an id of its own', async () => {
  const store = await open(path);
  for (let i = 1; i <= 20; i++) await store.commit([{ key: `a/${i % 7}`, value: i }], []);
  const before = await contents(store);
  const made = await backup(path, target);
  await store.commit([{ key: 'a/late', value: 1 }], []);
  assert.equal(made.revision, 20);
  assert.equal(made.bytes, (await stat(target)).size);
  assert.equal((await stat(target)).mode & 0o777, 0o600);
  const restored = await open(target);
  assert.deepEqual(await contents(restored), before);
  assert.notEqual(restored.world, store.world);
  assert.deepEqual(await restored.commit([{ key: 'a/new', value: 1 }], []), { ok: true, revision: 21 });
  await store.close();
  await restored.close();
});

test('a backup of a world at rest, compacted to its end', async () => {
  const store = await open(path);
  await store.commit([{ key: 'a/1', value: 1 }], []);
  await store.commit([{ key: 'a/1', value: undefined }], []);
  await store.compact(2);
  await store.close();
  assert.equal((await backup(path, target)).revision, 2);
  assert.deepEqual(await readdir(folder), ['copy', 'world.db']);
});

test('refuses to overwrite, to copy what is not there and to copy what is no world', async () => {
  await writeFile(target, 'precious');
  await assert.rejects(backup(path, join(folder, 'other')), StoreUnusable);
  await writeFile(path, 'not a database, only some text');
  await assert.rejects(backup(path, join(folder, 'other')), StoreUnusable);
  await rm(path);
  await (await open(path)).close();
  await assert.rejects(backup(path, target), /exists already/);
  assert.equal(await readFile(target, 'utf8'), 'precious');
  await assert.rejects(backup(path, join(folder, 'no', 'such', 'folder')), StoreUnusable);
  assert.deepEqual(await readdir(folder), ['copy', 'world.db']);
});

test('of a damaged world it copies what can be read and what the edge has, and names the rest', async () => {
  const store = await open(path);
  for (let i = 0; i < 60; i++) {
    await store.commit([{ key: `zone/${i}`, value: { id: i, text: 'x'.repeat(500) } }], []);
    await store.commit([{ key: `key/${i}`, value: { id: i, text: 'y'.repeat(500) } }], []);
  }
  const all = await store.read((view) => [...view.list('key/'), ...view.list('zone/')]);
  const world = store.world;
  await store.close();
  const edge: EdgeCopy = { world, revision: 120, records: all.filter(({ key }) => key.startsWith('zone/')) };
  const source = { position: () => Promise.resolve(edge), read: () => Promise.resolve(edge) };
  assert.deepEqual((await backup(path, join(folder, 'whole'), source)).damaged, []);
  await truncate(path, 40_960);
  const made = await backup(path, target, source);
  assert.match(made.damaged.join(), /records of the revisions/);
  const restored = await open(target);
  assert.equal(restored.partial, undefined);
  const has = await restored.read((view) => [...view.list('key/'), ...view.list('zone/')]);
  assert.ok(has.length >= 60 && has.length < all.length, `${has.length} records`);
  assert.deepEqual(
    has,
    all.filter(({ key }) => has.some((record) => record.key === key)),
  );
  assert.equal(has.filter(({ key }) => key.startsWith('zone/')).length, 60);
  await restored.close();
});

test('a world of a newer format is called so', async () => {
  await (await open(path)).close();
  const file = await openFile(path, 'r+');
  await file.write(Buffer.from([0, 0, 0, 99]), 0, 4, 60);
  await file.close();
  await assert.rejects(backup(path, target), /its format is 99 and this version knows 1: use a newer EdgeFour/);
});
