/** What is refused at open, with one line that says what to do, and that refusing changes nothing. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { NotWritable, StoreUnusable } from '../errors.ts';
import { openStore } from '../registry.ts';
import type { Store } from '../store.ts';
import { APPLICATION_ID, FORMAT, whyNot } from './format.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgefour-open-'));
  path = join(folder, 'world.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (): Promise<Store> => openStore(`sqlite:${path}`, { clock: systemClock, log: silentLog });

async function refuses(message: RegExp): Promise<void> {
  const before = await readFile(path).catch(() => undefined);
  await assert.rejects(open(), (error) => {
    assert.ok(error instanceof StoreUnusable);
    assert.match(error.message, message);
    assert.ok(error.message.includes(path) && !error.message.includes('\n'));
    return true;
  });
  assert.deepEqual(await readFile(path).catch(() => undefined), before);
}

test('a world keeps its id, its records and its revision from one opening to the next', async () => {
  const first = await open();
  await first.commit([{ key: 'a/1', value: { x: 1 } }], []);
  await first.commit([{ key: 'a/2', value: 2 }], []);
  await first.commit([{ key: 'a/2', value: undefined }], []);
  await first.compact(3);
  await first.close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const second = await open();
  assert.equal(second.world, first.world);
  assert.deepEqual(await second.read((view) => [view.revision, view.list('a/')]), [
    3,
    [{ key: 'a/1', value: { x: 1 }, revision: 1 }],
  ]);
  assert.deepEqual(await second.commit([{ key: 'a/3', value: 3 }], []), { ok: true, revision: 4 });
  await second.close();
});

test('two worlds are never the same', async () => {
  const first = await open();
  await first.close();
  await rm(path);
  const second = await open();
  assert.notEqual(second.world, first.world);
  await second.close();
});

test('refuses text, an empty file, a folder and a missing folder', async () => {
  await writeFile(path, 'some text of yours');
  await refuses(/not an EdgeFour world/);
  await writeFile(path, '');
  await refuses(/empty/);
  await rm(path);
  await mkdir(path);
  await refuses(/can't be opened/);
  path = join(folder, 'none', 'world.db');
  await refuses(/can't be opened/);
});

test("refuses another program's database and a newer format", async () => {
  const db = new DatabaseSync(path);
  db.exec('CREATE TABLE mine (x)');
  await refuses(/another program's database/);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT + 1}`);
  db.close();
  await refuses(/use a newer EdgeFour/);
});

test('refuses a world whose file is damaged', async () => {
  const store = await open();
  for (let i = 0; i < 50; i++) await store.commit([{ key: `a/${i}`, value: 'x'.repeat(1_000) }], []);
  await store.close();
  await truncate(path, 20_000);
  await refuses(/restore a backup/);
});

const canRefuse = process.getuid?.() === 0 ? 'root writes everywhere' : false;
test(
  'a world that can be read only is read, refuses changes, and takes them once it can',
  { skip: canRefuse },
  async () => {
    const first = await open();
    await first.commit([{ key: 'a/1', value: { x: 1 } }], []);
    await first.close();
    await chmod(path, 0o400);
    await chmod(folder, 0o500);
    const store = await open();
    assert.deepEqual(await store.read((view) => view.list('a/')), [{ key: 'a/1', value: { x: 1 }, revision: 1 }]);
    await assert.rejects(store.commit([{ key: 'a/2', value: 2 }], []), NotWritable);
    await chmod(folder, 0o700);
    await chmod(path, 0o600);
    assert.deepEqual(await store.commit([{ key: 'a/2', value: 2 }], []), { ok: true, revision: 2 });
    assert.equal(await store.read((view) => view.count('a/')), 2);
    await store.close();
    const again = await open();
    assert.equal(await again.read((view) => view.count('a/')), 2);
    await again.close();
  },
);

test('refuses to start anew beside the log of a world that was there', async () => {
  await writeFile(`${path}-wal`, 'left over');
  await refuses(/is gone but/);
});

test('refuses a store nobody has heard of', async () => {
  for (const url of ['', 'sqlite', 'redis://x', 'constructor:x']) {
    await assert.rejects(openStore(url, { clock: systemClock, log: silentLog }), /no such store/);
  }
});

test('the first bytes of a file never make it throw', () => {
  const magic = Buffer.from('SQLite format 3\0');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 120 }),
    fc.uint8Array({ minLength: 84, maxLength: 84 }).map((rest) => Buffer.concat([magic, rest])),
  );
  fc.assert(fc.property(bytes, (header) => typeof (whyNot(header) ?? 'ok') === 'string'));
});
