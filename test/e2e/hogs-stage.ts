/** Control while 300 peers send 10 MB each without an end: what it takes, and how long an honest call waits meanwhile. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { tc3 } from '../conformance/sign.ts';
import type { HogWish } from '../world/hogs.ts';
import type { LoneControl } from '../world/lone-control.ts';

const PEERS = 300;
export const SECONDS = Number(process.env['HOG_SECONDS'] ?? 4);
/** `npm run hogs` runs long, once, and by the clock on the wall; CI leaves out what the machine made both ends wait for. */
const IS_STRICT = process.env['HOG_SECONDS'] !== undefined;
const TRIES = IS_STRICT ? 1 : 3;
const HOGS = join(import.meta.dirname, '..', 'world', 'hogs.ts');

interface Toll {
  /** Bytes above what it had before. */
  readonly grown: number;
  /** Milliseconds of the honest calls. */
  readonly waits: readonly number[];
  /** The same without the time in which control or the caller could run and had no processor. */
  readonly own: readonly number[];
}

/** The hogs know a SecretId, which is no secret, and have no key: the most that somebody who is not let in can do. */
export async function withHogs(control: LoneControl, apart: boolean, seconds: number): Promise<Toll> {
  const call = (): Promise<unknown> => control.client.call('DescribeZones', {});
  for (let n = 0; n < 50; n++) await call();
  const before = control.rss();
  const host = new URL(control.api).host;
  const timestamp = Math.floor(Date.now() / 1000);
  const forged = tc3({ secretId: control.secretId, secretKey: 'no' }, 'DescribeZones', '', { timestamp, host });
  const headers = Object.entries(forged.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const wish: HogWish = { port: Number(new URL(control.api).port), peers: PEERS, apart, headers: headers.join('') };
  const hogs = spawn(process.execPath, [HOGS, JSON.stringify(wish)], { stdio: ['pipe', 'inherit', 'inherit'] });
  const gone = once(hogs, 'close');
  let most = before;
  const look = setInterval(() => (most = Math.max(most, control.rss())), 50);
  const [waits, own]: [number[], number[]] = [[], []];
  const heldUp = (): number => heldUpMs(control.pid) + heldUpMs(process.pid);
  try {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      const [start, before] = [performance.now(), heldUp()];
      await call();
      const wait = performance.now() - start;
      waits.push(wait);
      own.push(Math.max(0, wait - (heldUp() - before)));
      assert.equal(hogs.exitCode, null);
      await sleep(100);
    }
  } finally {
    clearInterval(look);
    hogs.stdin.end();
    await gone;
  }
  assert.ok(control.isAlive());
  return { grown: most - before, waits, own };
}

/** How long the main thread of a process has been ready and waited for a processor, as the scheduler counts it. */
function heldUpMs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}

/**
 * Runs it until its verdict holds, `TRIES` times at most: a busy machine makes calls wait and memory go back late, a fault
 * does it each time. What fails before there is a verdict, such as a call that is not answered, fails at once.
 */
export async function bestOf(run: () => Promise<() => void>): Promise<void> {
  for (let left = TRIES; ; left--) {
    const verdict = await run();
    try {
      return verdict();
    } catch (error) {
      if (left === 1) throw error;
    }
  }
}

const MiB = 1024 * 1024;

export function toll({ grown, waits, own }: Toll): string {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return `RSS +${Math.round(grown / MiB)} MB; ${waits.length} honest calls: median ${at(0.5)} ms, longest ${Math.round(sorted.at(-1) ?? 0)} ms, ${Math.round(Math.max(...own))} ms by itself`;
}

/** limit: named by the promise: 96 MB more, and an honest call within a second. */
export function holdsUp(taken: Toll): void {
  assert.ok(taken.grown <= 96 * MiB, `it grew by ${Math.round(taken.grown / MiB)} MB`);
  answersInTime(taken);
}

export function answersInTime(taken: Toll): void {
  const waits = IS_STRICT ? taken.waits : taken.own;
  assert.ok(
    waits.length > 0 && Math.max(...waits) < 1000,
    `an honest call waited ${Math.round(Math.max(...waits))} ms`,
  );
}
