/** Backups of a world at work and of one at rest, and what a backup refuses. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { StoreUnusable } from '../errors.ts';
import { openStore } from '../registry.ts';
import type { Store } from '../store.ts';
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
  const made = backup(path, target);
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
  assert.equal(backup(path, target).revision, 2);
  assert.deepEqual(await readdir(folder), ['copy', 'world.db']);
});

test('refuses to overwrite, to copy what is not there and to copy what is no world', async () => {
  await writeFile(target, 'precious');
  assert.throws(() => backup(path, join(folder, 'other')), StoreUnusable);
  await writeFile(path, 'not a database, only some text');
  assert.throws(() => backup(path, join(folder, 'other')), StoreUnusable);
  await rm(path);
  await (await open(path)).close();
  assert.throws(() => backup(path, target), /exists already/);
  assert.equal(await readFile(target, 'utf8'), 'precious');
  assert.throws(() => backup(path, join(folder, 'no', 'such', 'folder')), StoreUnusable);
  assert.deepEqual(await readdir(folder), ['copy', 'world.db']);
});
