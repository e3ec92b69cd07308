/** T28: whatever happens to the files, the edge never serves a world that was not one of its revisions, whole. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { seededRng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import type { Frame } from '../../link/contract.ts';
import { silentLog } from '../../observe/log.ts';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { eventually } from '../../../test/suites/engine/fixture.ts';
import { LastGood } from './last-good.ts';

const tools = { clock: systemClock, rng: seededRng(1), log: silentLog, changed: new Signal() };

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'world');
}

/** A world in its own words, to compare with what it was at that revision. */
function shown({ replica }: LastGood): string {
  return JSON.stringify([replica.revision, ...[...replica.records.values()].map(({ key, value }) => [key, value])]);
}

function feed(lastGood: LastGood, frames: readonly Frame[]): void {
  for (const frame of frames) {
    const step = lastGood.replica.accept(frame);
    assert.notEqual(step.kind, 'broken');
    if (step.kind !== 'none') lastGood.note(step);
  }
}

const HELLO = { kind: 'hello', link: 1, version: '1', world: 'w' } as const;

function batch(revision: number, pad = 300): Frame {
  const value = { n: revision, pad: 'x'.repeat(pad) };
  return { kind: 'batch', revision, changes: [{ key: `proxy/z/${revision % 9}`, value, revision }] };
}

/** A folder with two generations, and every state it ever held. */
async function written(t: TestContext): Promise<{ folder: string; states: Set<string>; last: string }> {
  const folder = await folderOf(t);
  const states = new Set<string>();
  const first = await LastGood.open(folder, tools);
  states.add(shown(first));
  const records = Array.from({ length: 40 }, (_, i) => ({
    key: `zone/${i}`,
    revision: 3,
    value: { id: `${i}`, pad: 'y'.repeat(500) },
  }));
  feed(first, [HELLO, { kind: 'snapshot', revision: 10, records, done: true }]);
  states.add(shown(first));
  // Otherwise all of it would go into one snapshot.
  await eventually(() => assert.equal(first.kept, 10));
  for (let revision = 11; revision <= 40; revision++) {
    feed(first, [batch(revision)]);
    states.add(shown(first));
  }
  await first.close();
  // Damage makes a new generation: here, a last line that was only half written.
  const [newest = ''] = await newestFirst(folder);
  await truncate(newest, (await stat(newest)).size - 5);
  const second = await LastGood.open(folder, tools);
  assert.equal(second.replica.revision, 39);
  second.replica.begin();
  second.replica.accept(HELLO);
  for (let revision = 40; revision <= 60; revision++) {
    feed(second, [batch(revision)]);
    states.add(shown(second));
  }
  await second.close();
  return { folder, states, last: shown(second) };
}

async function newestFirst(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.world'));
  return names
    .toSorted()
    .toReversed()
    .map((name) => join(folder, name));
}

/** Every line's end, its neighbours, and each 4 KiB. */
function places(bytes: Buffer): number[] {
  const ends = [...bytes.keys()].flatMap((i) => (bytes[i] === 10 ? [i - 1, i, i + 1] : []));
  const pages = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) => i * 4096);
  return [...new Set([...ends, ...pages])].filter((i) => i < bytes.length);
}

test('comes back as it was, and goes on from there', async (t) => {
  const { folder, last } = await written(t);
  const again = await LastGood.open(folder, tools);
  assert.equal(shown(again), last);
  assert.deepEqual([again.kept, again.alarms], [60, []]);
  again.replica.begin();
  feed(again, [HELLO, batch(61), batch(62)]);
  await again.close();
  const third = await LastGood.open(folder, tools);
  assert.equal(third.replica.revision, 62);
  await third.close();
});

for (const [what, spoil] of [
  ['a flipped bit', (bytes: Buffer, at: number) => Buffer.from(bytes).fill((bytes[at] ?? 0) ^ 4, at, at + 1)],
  ['a cut', (bytes: Buffer, at: number) => bytes.subarray(0, at)],
  ['a page of zeros', (bytes: Buffer, at: number) => Buffer.from(bytes).fill(0, at, Math.min(at + 4096, bytes.length))],
] as const)
  test(`${what} anywhere in the newest file shows an earlier revision or the older file`, async (t) => {
    const { folder, states } = await written(t);
    const [newest = '', older = ''] = await newestFirst(folder);
    const whole = await readFile(newest);
    const wholeOlder = await readFile(older);
    for (const at of places(whole)) {
      await writeFile(newest, spoil(whole, at));
      const found = await LastGood.open(folder, tools);
      assert.ok(states.has(shown(found)), `byte ${at}`);
      assert.ok(
        found.replica.revision >= 39,
        `byte ${at}: the older file has 39, this shows ${found.replica.revision}`,
      );
      // A cut between two lines can't be told from a process that had not written more yet.
      if (what !== 'a cut' || whole[at - 1] !== 10) assert.equal(found.alarms.length, 1, `byte ${at}`);
      await found.close();
      for (const path of await newestFirst(folder)) await rm(path);
      await writeFile(newest, whole);
      await writeFile(older, wholeOlder);
    }
  });

test('with both files damaged it starts with nothing, says so, and the next world is kept', async (t) => {
  const { folder } = await written(t);
  for (const path of await newestFirst(folder)) await writeFile(path, 'not a world');
  const found = await LastGood.open(folder, tools);
  assert.deepEqual([found.replica.world, found.replica.revision, found.alarms.length], ['', 0, 1]);
  feed(found, [HELLO, { kind: 'snapshot', revision: 70, records: [], done: true }]);
  await found.close();
  assert.equal((await newestFirst(folder)).length, 1);
  const again = await LastGood.open(folder, tools);
  assert.deepEqual([again.replica.revision, again.alarms], [70, []]);
  await again.close();
});

test('a long log becomes a new generation, and the one before stays', async (t) => {
  const folder = await folderOf(t);
  const lastGood = await LastGood.open(folder, tools);
  feed(lastGood, [HELLO, { kind: 'snapshot', revision: 0, records: [], done: true }]);
  for (let revision = 1; revision <= 120; revision++) {
    feed(lastGood, [batch(revision, 20_000)]);
    if (revision % 10 === 0) await eventually(() => assert.equal(lastGood.kept, revision));
  }
  await lastGood.close();
  const files = await newestFirst(folder);
  assert.equal(files.length, 2);
  const again = await LastGood.open(folder, tools);
  assert.equal(shown(again), shown(lastGood));
  await again.close();
  // The older file ends where the newest began.
  await rm(files[0] ?? '');
  const older = await LastGood.open(folder, tools);
  assert.ok(older.replica.revision > 50 && older.replica.revision <= 120, `${older.replica.revision}`);
  await older.close();
});

test('another history: nothing on disk counts until it is there', async (t) => {
  const folder = await folderOf(t);
  const lastGood = await LastGood.open(folder, tools);
  feed(lastGood, [HELLO, { kind: 'snapshot', revision: 9, records: [], done: true }]);
  await eventually(() => assert.equal(lastGood.kept, 9));
  lastGood.replica.begin();
  feed(lastGood, [
    { ...HELLO, world: 'v' },
    { kind: 'snapshot', revision: 12, records: [], done: true },
  ]);
  assert.equal(lastGood.kept, 0);
  await eventually(() => assert.equal(lastGood.kept, 12));
  await lastGood.close();
  const again = await LastGood.open(folder, tools);
  assert.deepEqual([again.replica.world, again.replica.revision], ['v', 12]);
  await again.close();
});

const noFull = platform() === 'linux' ? false : 'needs /dev/full, which only Linux has';
test('a full disk is said, costs nothing else, and is tried again', { skip: noFull }, async (t) => {
  const clock = new ManualClock();
  const folder = await folderOf(t);
  const lastGood = await LastGood.open(folder, { ...tools, clock });
  await symlink('/dev/full', join(folder, '0000000001.world.new'));
  feed(lastGood, [HELLO, { kind: 'snapshot', revision: 1, records: [], done: true }]);
  await eventually(() => assert.match(lastGood.alarms[0] ?? '', /cannot be written: ENOSPC/));
  // Acks must not wait for a disk that takes nothing.
  assert.equal(lastGood.kept, Infinity);
  feed(lastGood, [batch(2), batch(3)]);
  await eventually(async () => {
    await clock.advance(1_000);
    assert.deepEqual([lastGood.alarms, lastGood.kept], [[], 3]);
  });
  await lastGood.close();
  const again = await LastGood.open(folder, tools);
  assert.equal(again.replica.revision, 3);
  await again.close();
});

test('a folder that can’t be made is said, too', async (t) => {
  const folder = await folderOf(t);
  await writeFile(folder, 'a file where the folder should be');
  const lastGood = await LastGood.open(folder, tools);
  feed(lastGood, [HELLO, { kind: 'snapshot', revision: 1, records: [], done: true }]);
  await eventually(() => assert.match(lastGood.alarms[0] ?? '', /cannot be written/));
  await lastGood.close();
});
