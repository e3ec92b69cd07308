import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../test/suites/engine/fixture.ts';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { openKeptFile } from './kept-file.ts';

test('written a moment after changes, whole, and found again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'value.json');
  const clock = new ManualClock();
  const failures: string[] = [];
  const open = () => openKeptFile(path, clock, (reason) => failures.push(reason));
  const file = await open();
  assert.equal(file.found, undefined);
  let made = 0;
  for (let n = 1; n <= 9; n++) file.save(() => ({ n, made: ++made }));
  await clock.advance(500);
  await file.close();
  assert.deepEqual(await readdir(folder), ['value.json']);
  assert.deepEqual((await open()).found, { n: 9, made: 1 });
  await writeFile(path, 'not JSON');
  assert.equal((await open()).found, undefined);
  assert.deepEqual(failures, []);
});

test('a flipped bit or a cut is damage; a file without a checksum is one of an older version', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'value.json');
  const open = () => openKeptFile(path, new ManualClock(), () => {});
  const file = await open();
  file.save(() => ({ 'origin.example': ['10.0.0.1'] }));
  await file.close();
  const whole = await readFile(path, 'utf8');
  for (const damaged of [whole.replace('10.0.0.1', '10.0.0.3'), whole.slice(0, -1), whole.slice(0, 20), '']) {
    await writeFile(path, damaged);
    const { found, isDamaged } = await open();
    assert.deepEqual([found, isDamaged], [undefined, true], damaged);
  }
  await writeFile(path, '{"old":1}');
  const { found, isDamaged } = await open();
  assert.deepEqual([found, isDamaged], [{ old: 1 }, false]);
});

test('a disk that has room again gets what it could not take, and nothing is left meanwhile', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  const clock = new ManualClock();
  const failures: string[] = [];
  const path = join(folder, 'later', 'value.json');
  const file = await openKeptFile(path, clock, (reason) => failures.push(reason));
  file.save(() => 1);
  await clock.advance(500);
  await eventually(() => assert.equal(failures.length, 1));
  await mkdir(join(folder, 'later'));
  await eventually(async () => {
    await clock.advance(5_000);
    assert.deepEqual(await readdir(join(folder, 'later')), ['value.json']);
  });
  await file.close();
  assert.equal((await openKeptFile(path, clock, () => {})).found, 1);
  assert.equal(failures.length, 1);
});

test('what can’t be written is said', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  const failures: string[] = [];
  const file = await openKeptFile(join(folder, 'gone', 'value.json'), new ManualClock(), (reason) =>
    failures.push(reason),
  );
  t.after(() => rm(folder, { recursive: true }));
  file.save(() => 1);
  await file.close();
  await file.close();
  assert.match(failures.join(), /ENOENT/);
  await assert.rejects(readFile(join(folder, 'gone', 'value.json')));
});
