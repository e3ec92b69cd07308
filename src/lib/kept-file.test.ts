import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
