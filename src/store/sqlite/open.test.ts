/** What is refused at open, with one line that says what to do, and that refusing changes nothing. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../lib/clock.ts';
import { seededRng } from '../../lib/rng.ts';
import { silentLog } from '../../observe/log.ts';
import { NotWritable, StoreUnusable } from '../errors.ts';
import { openStore } from '../registry.ts';
import type { EdgeCopy, Store } from '../store.ts';
import { APPLICATION_ID, FORMAT, whyNot } from './format.ts';
import { damageOf, salvageCopy } from './salvage.ts';

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

test('what a damaged file still has is read, what it lost is named, and nothing is written to it', async () => {
  const store = await open();
  for (let i = 0; i < 50; i++) await store.commit([{ key: `a/${i}`, value: 'x'.repeat(1_000) }], []);
  await store.close();
  await truncate(path, 20_480);
  const before = await readFile(path);
  const left = await open();
  assert.match(left.partial?.reason ?? '', /records of the revisions/);
  const records = await left.read((view) => view.list('a/'));
  assert.ok(records.length > 0 && records.length < 50);
  for (const { value } of records) assert.equal(value, 'x'.repeat(1_000));
  left.partial?.seal();
  await assert.rejects(left.commit([{ key: 'a/new', value: 1 }], []), /damaged .*edgefour backup FILE/);
  await left.close();
  assert.deepEqual(await readFile(path), before);
  await truncate(path, 4_096);
  await refuses(/restore a backup/);
});

test('a flipped bit is found, named, and no other record suffers', async () => {
  const store = await open();
  const rule = (i: number) => ({ id: `rule-${i}`, ports: ['8080'] });
  for (let i = 0; i < 5; i++) await store.commit([{ key: `proxy/zone-1/${i}`, value: rule(i) }], []);
  const { world } = store;
  const records = await store.read((view) => view.list('proxy/'));
  await store.close();
  const bytes = await readFile(path);
  bytes[bytes.indexOf('"rule-3","ports":["8080"') + 20] = 0x39;
  await writeFile(path, bytes);
  assert.deepEqual(damageOf(path), ['proxy/zone-1/3 (revision 4)']);
  const left = await open();
  assert.equal(left.partial?.reason, 'proxy/zone-1/3 (revision 4)');
  assert.deepEqual(
    await left.read((view) => view.list('proxy/').map(({ value }) => value)),
    [0, 1, 2, 4].map((i) => rule(i)),
  );
  await left.close();
  const copy: EdgeCopy = { world, revision: 5, records };
  const source = { position: () => Promise.resolve(copy), read: () => Promise.resolve(copy) };
  const healed = await openStore(`sqlite:${path}`, { clock: systemClock, log: silentLog, copy: source });
  assert.deepEqual(await healed.read((view) => view.list('proxy/')), records);
  await healed.close();
});

test('whatever byte is wrong, no record is read that never was', { timeout: 120_000 }, async () => {
  const store = await open();
  for (let i = 0; i < 200; i++) await store.commit([{ key: `a/${i % 150}`, value: { i, text: 'x'.repeat(i) } }], []);
  await store.close();
  const good = await readFile(path);
  await writeFile(`${path}.copy`, good);
  const { rows: truth, damaged: none } = salvageCopy(`${path}.copy`);
  assert.deepEqual([truth.length, none], [200, []]);
  const known = new Set(truth.map((row) => JSON.stringify(row)));
  const rng = seededRng(7);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(good);
    const at = rng.below(bytes.length);
    bytes[at]! ^= 1 << rng.below(8);
    await writeFile(`${path}.copy`, round % 3 === 0 ? bytes.subarray(0, at) : bytes);
    const { rows, damaged } = salvageCopy(`${path}.copy`);
    for (const row of rows) assert.ok(known.has(JSON.stringify(row)), `byte ${at}: ${JSON.stringify(row)}`);
    if (rows.length < truth.length) assert.ok(damaged.length > 0, `byte ${at}: ${rows.length} rows, nothing said`);
  }
});

test('rows of a version without checksums get theirs when the file is opened', async () => {
  const store = await open();
  await store.commit([{ key: 'a/1', value: 1 }], []);
  await store.close();
  const old = new DatabaseSync(path);
  old.exec("DROP TABLE sum; INSERT INTO record VALUES (131072, 'a/2', '2')");
  old.close();
  const again = await open();
  assert.deepEqual(await again.read((view) => view.list('a/').map(({ value }) => value)), [1, 2]);
  await again.commit([{ key: 'a/3', value: 3 }], []);
  await again.close();
  const summed = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual({ ...summed.prepare('SELECT count(*) AS n FROM sum JOIN record USING (id)').get() }, { n: 3 });
  summed.close();
});

test('the end of the log is gone: an edge that has more tells, and nothing goes back in time', async () => {
  const store = await open();
  await store.commit([{ key: 'zone/1', value: 1 }], []);
  const { world } = store;
  await store.close();
  const copy: EdgeCopy = { world, revision: 2, records: [{ key: 'zone/2', value: 2, revision: 2 }] };
  const source = { position: () => Promise.resolve(copy), read: () => Promise.resolve(copy) };
  const left = await openStore(`sqlite:${path}`, { clock: systemClock, log: silentLog, copy: source });
  assert.equal(left.partial?.reason, 'the revisions 2 to 2 are missing');
  assert.deepEqual(await left.read((view) => view.list('zone/').map(({ key }) => key)), ['zone/2']);
  await left.close();
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
