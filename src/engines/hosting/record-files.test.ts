import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { eventually } from '../../../test/suites/engine/fixture.ts';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import { createRecordFiles } from './record-files.ts';

async function folderOf(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(parent, { recursive: true }));
  return join(parent, 'records');
}

function record(id: string): ConnectionRecord {
  const end = { address: '192.0.2.1', port: 1 };
  const times = { startedAt: 1, at: 2, bytesIn: 3, bytesOut: 4 };
  return { id, rule: 'rule-1', proxy: 'sid-1', protocol: 'TCP', client: end, entry: end, ...times };
}

test('records are JSON lines in one file per hour', async (t) => {
  const clock = new ManualClock();
  const folder = await folderOf(t);
  const files = createRecordFiles(folder, clock, 1 << 20);
  files.write(record('a'));
  files.write(record('b'));
  await clock.advance(1_000);
  await eventually(async () => assert.equal((await readdir(folder)).length, 1));
  await clock.advance(3_600_000);
  files.write(record('c'));
  await files.close();
  assert.deepEqual(await readdir(folder), ['2026-01-02T03.001.jsonl', '2026-01-02T04.001.jsonl']);
  const lines = (await readFile(join(folder, '2026-01-02T03.001.jsonl'), 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    [record('a'), record('b')],
  );
});

test('the oldest go when all together are over the cap; what is not ours stays', async (t) => {
  const clock = new ManualClock();
  const folder = await folderOf(t);
  const cap = 20_000;
  const files = createRecordFiles(folder, clock, cap);
  for (let round = 0; round < 60; round++) {
    for (let n = 0; n < 10; n++) files.write(record(`${round}-${n}`));
    await clock.advance(1_000);
    await eventually(async () => assert.match(await readAll(folder), new RegExp(`"${round}-9"`)));
    if (round === 3) await writeFile(join(folder, 'notes.txt'), 'mine');
  }
  await files.close();
  const all = await readAll(folder);
  assert.ok(all.length < cap * 1.2, `${all.length}`);
  assert.match(all, /mine/);
  assert.doesNotMatch(all, /"0-0"/);
});

test('a disk that takes nothing costs records, which are counted, and is tried again', async (t) => {
  const clock = new ManualClock();
  const folder = await folderOf(t);
  await writeFile(folder, 'in the way');
  const files = createRecordFiles(folder, clock, 1 << 20);
  files.write(record('a'));
  await clock.advance(1_000);
  await eventually(() => assert.match(files.alarms.join(), /cannot be written: .*1 connection records could not/));
  await rm(folder);
  files.write(record('b'));
  await files.close();
  assert.deepEqual(files.alarms, ['1 connection records could not be written to files']);
  assert.match(await readAll(folder), /"b"/);
});

for (const [what, remove] of [
  ['the file', async (folder: string) => rm(join(folder, (await readdir(folder))[0] ?? ''))],
  ['the folder', (folder: string) => rm(folder, { recursive: true })],
  ['the file, for another of the same name,', replaceFile],
] as const)
  test(`where something removes ${what} it is made anew, and what was in it is counted`, async (t) => {
    const clock = new ManualClock();
    const folder = await folderOf(t);
    let lost = 0;
    const files = createRecordFiles(folder, clock, 1 << 20, (records) => (lost += records));
    files.write(record('a'));
    files.write(record('b'));
    await clock.advance(1_000);
    await eventually(async () => assert.match(await readAll(folder), /"b"/));
    await remove(folder);
    files.write(record('c'));
    await clock.advance(1_000);
    await eventually(async () => assert.match(await readAll(folder), /"c"/));
    assert.deepEqual(
      [lost, files.alarms],
      [2, [`2 connection records are gone: something removed their file from ${folder}`]],
    );
    files.write(record('d'));
    await files.close();
    assert.match(await readAll(folder), /"c".*\n.*"d"/);
    assert.equal(lost, 2);
  });

async function replaceFile(folder: string): Promise<void> {
  const [name = ''] = await readdir(folder);
  await writeFile(join(folder, 'other'), '');
  await rename(join(folder, 'other'), join(folder, name));
}

test('two processes write to files of their own', async (t) => {
  const clock = new ManualClock();
  const folder = await folderOf(t);
  const both = [createRecordFiles(folder, clock, 1 << 20), createRecordFiles(folder, clock, 1 << 20)];
  for (const [i, files] of both.entries()) {
    files.write(record(`${i}`));
    await files.close();
  }
  assert.deepEqual(await readdir(folder), ['2026-01-02T03.001.jsonl', '2026-01-02T03.002.jsonl']);
});

test('more than fits into the queue is lost at once, not waited for', async (t) => {
  const clock = new ManualClock();
  const files = createRecordFiles(await folderOf(t), clock, 1 << 30);
  for (let n = 0; n < 65_536 + 7; n++) files.write(record('x'));
  assert.deepEqual(files.alarms, ['7 connection records could not be written to files']);
  await files.close();
});

async function readAll(folder: string): Promise<string> {
  const names = await readdir(folder);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')))).join('');
}
