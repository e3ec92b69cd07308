/** What a crash may do to a world in a file: rounds of SIGKILL, and copies whose files were cut at random places. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '../../src/lib/clock.ts';
import { type Rng, seededRng } from '../../src/lib/rng.ts';
import { silentLog } from '../../src/observe/log.ts';
import { LocalStore } from '../../src/store/local/local-store.ts';
import { readMeta, sqliteMedium } from '../../src/store/sqlite/medium.ts';
import { openForReading } from '../../src/store/sqlite/open.ts';
import { checkWorld } from './store-crash-model.ts';

const CHILD = join(import.meta.dirname, 'store-crash-child.ts');

/** Kills, then cuts what the last kill left, then asks SQLite for its own opinion. */
export async function crashCampaign(size: { rounds: number; images: number; seed: number }): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'edgefour-crash-'));
  try {
    const path = join(folder, 'world.db');
    await killRounds(path, size.rounds, size.seed);
    const { wal, file } = await cutImages(path, size.images, size.seed);
    // What is lost with the end of the WAL is lost whole; a file that lost its own end is another matter.
    assert.equal(wal.refused, 0);
    assert.ok(wal.right > 0 && file.right + file.refused > 0);
    checkIntegrity(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A process works on the world and is killed, `rounds` times; each time every answer it gave is accounted for. */
async function killRounds(path: string, rounds: number, seed: number): Promise<void> {
  const rng = seededRng(seed);
  let answered = 0;
  for (let round = 0; round < rounds; round++) {
    const run = await runAndKill(path, rng);
    assert.ok(
      run.opened >= answered,
      `revision ${answered} was answered, after the crash the world is at ${run.opened}`,
    );
    answered = run.answered;
  }
  assert.ok(answered > rounds, 'the rounds were too short to mean anything');
}

function checkIntegrity(path: string): void {
  const db = new DatabaseSync(path);
  assert.deepEqual({ ...db.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
  db.close();
}

async function runAndKill(path: string, rng: Rng): Promise<{ opened: number; answered: number }> {
  const child = spawn(process.execPath, [CHILD, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(path), 'cache') },
  });
  const closed = once(child, 'close');
  let opened = -1;
  let answered = 0;
  let left = rng.below(60);
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('opened ')) opened = Number(line.slice(7));
    else answered = (JSON.parse(line) as { revision: number }).revision;
    // Not awaited: what it still answers before it dies is read, and counts.
    if (left-- === 0) child.kill('SIGKILL');
  }
  await closed;
  assert.notEqual(opened, -1, 'the world could not be opened after the crash');
  return { opened, answered: Math.max(answered, opened) };
}

interface Images {
  /** Opened, and were exactly the world of some revision. */
  right: number;
  /** Refused with an error. */
  refused: number;
}

/**
 * Copies of a world with its WAL, one of the two cut short: each opens as a world that once was, or not at all. The WAL
 * is cut where a crash could cut it: SQLite makes it durable before it copies from it into the file, so what it may
 * have copied is never lost.
 */
async function cutImages(path: string, count: number, seed: number): Promise<{ wal: Images; file: Images }> {
  const rng = seededRng(seed);
  const wal: Images = { right: 0, refused: 0 };
  const file: Images = { right: 0, refused: 0 };
  const folder = await mkdtemp(join(tmpdir(), 'edgefour-images-'));
  try {
    const durable = await copiedFromWal(`${path}-shm`);
    for (let i = 0; i < count; i++) {
      const image = join(folder, `${i}.db`);
      await copyFile(path, image);
      await copyFile(`${path}-wal`, `${image}-wal`);
      const cutFile = i % 4 === 3;
      const victim = cutFile ? image : `${image}-wal`;
      const least = cutFile ? 0 : durable;
      await truncate(victim, least + rng.below((await stat(victim)).size - least + 1));
      const tally = cutFile ? file : wal;
      if (await opensRight(image)) tally.right++;
      else tally.refused++;
      for (const end of ['', '-wal', '-shm']) await rm(`${image}${end}`, { force: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return { wal, file };
}

/**
 * How many bytes of the WAL may have been copied into the file: `nBackfillAttempted` of the WAL index, in frames of a
 * page and its header. Source: SQLite's file format, "WAL-index format".
 */
async function copiedFromWal(shm: string): Promise<number> {
  const index = await readFile(shm);
  const native = new Uint32Array(index.buffer, index.byteOffset, 34);
  const pageSize = new Uint16Array(index.buffer, index.byteOffset, 8)[7]!;
  const attempted = native[32]!;
  return 32 + attempted * (24 + pageSize);
}

async function opensRight(path: string): Promise<boolean> {
  let db: DatabaseSync | undefined;
  let store: LocalStore;
  try {
    db = openForReading(path);
    const noWriter = { send: () => Promise.reject(new Error('read only')), close: () => Promise.resolve() };
    const options = { clock: systemClock, log: silentLog, watchHistory: 100 };
    store = new LocalStore(sqliteMedium(db, noWriter), readMeta(db), options);
  } catch {
    db?.close();
    return false;
  }
  await checkWorld(store);
  await store.close();
  return true;
}
