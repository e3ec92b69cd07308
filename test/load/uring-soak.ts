/**
 * `npm run soak`: the uring engine under everything at once, for minutes: churn, messages, streams both ways, datagrams,
 * clients that vanish, an origin that dies and comes back. At the end descriptors and memory are where they began, and no
 * worker has died. Needs root and g++ (namespaces and load are the benchmark's).
 *
 *   uring-soak.ts [minutes=10]
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENTRY, ORIGIN, down, inside, up } from '../../bench/dataplane/topology.ts';
import type { Place } from '../../bench/dataplane/topology.ts';

const minutes = Number(/minutes=([\d.]+)/.exec(process.argv[2] ?? '')?.[1] ?? 10);
const ROUND_S = 10;
/** More than an engine waits after a peak. */
const REST_MS = 12_000;
const MOST_RESTS = 10;
const root = join(import.meta.dirname, '..', '..', 'bench', 'dataplane');
const folder = mkdtempSync(join(tmpdir(), 'edgefour-soak-'));
const load = join(folder, 'load');
const LOADS = [
  ['connects', 'port=7000'],
  ['rr', 'port=7000'],
  ['connects', 'port=7003'],
  ['down', 'port=7001', 'count=8'],
  ['up', 'port=7002', 'count=8'],
  ['udp', 'port=7100', 'flows=100'],
] as const;
const RULES = ['7000=9000', '7001=9001', '7002=9002', '7003=9000/PPV2', '7100=9100/udp'];

const started: ChildProcess[] = [];
let said = '';
try {
  execFileSync('g++', ['-O2', '-std=c++20', '-pthread', '-o', load, join(root, 'load', 'main.cpp')]);
  up();
  let origin = start('origin', [load, 'origin', ORIGIN]);
  const rules = RULES.map((rule) => `${ENTRY}:${rule.replace('=', `=${ORIGIN}:`)}`);
  const proxy = start('proxy', [process.execPath, join(root, 'serve.ts'), 'uring', '2', '1', ...rules, 'idle=5']);
  for (const stream of [proxy.stdout, proxy.stderr]) stream?.on('data', (text: Buffer) => (said += text.toString()));
  while (!said.includes('ready')) await sleep(50);
  await round(false);
  await sleep(REST_MS);
  const before = state(proxy);
  process.stdout.write(`after one round and a rest: ${JSON.stringify(before)}\n`);
  for (let left = (minutes * 60) / (ROUND_S + 8); left > 1; left--) {
    await round(left % 2 < 1);
    process.stdout.write(`${JSON.stringify(state(proxy))}\n`);
  }
  // Pipes wait for the next streams, and memory of a peak for the next peak; both for some time only.
  let after = state(proxy);
  const isBack = (): boolean => after.descriptors <= before.descriptors + 32 && after.memory <= before.memory * 1.1;
  for (let waited = 0; waited < MOST_RESTS && !isBack(); waited++) {
    await sleep(REST_MS);
    after = state(proxy);
    process.stdout.write(`at rest: ${JSON.stringify(after)}\n`);
  }
  assert.ok(isBack(), `${JSON.stringify(before)} → ${JSON.stringify(after)}`);
  assert.ok(!said.includes('worker'), said);
  process.stdout.write('1 passed, 0 failed\n');

  async function round(flap: boolean): Promise<void> {
    const loads = LOADS.map((args) => start('client', [load, ...args, `ip=${ENTRY}`, `time=${ROUND_S}`, 'warm=0']));
    await sleep((ROUND_S * 1000) / 3);
    if (flap) {
      origin.kill('SIGKILL');
      await sleep(500);
      origin = start('origin', [load, 'origin', ORIGIN]);
      for (const one of loads.slice(0, 3)) one.kill('SIGKILL');
    }
    await sleep((ROUND_S * 2000) / 3 + 500);
    for (const one of loads) one.kill('SIGKILL');
    // Sessions idle out.
    await sleep(7500);
  }
} finally {
  for (const child of started) child.kill('SIGKILL');
  await sleep(300);
  down();
  rmSync(folder, { recursive: true, force: true });
}

function state({ pid }: ChildProcess): { descriptors: number; memory: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) };
}

function start(place: Place, args: readonly string[]): ChildProcess {
  const [command = '', ...rest] = inside(place, args);
  const ours = place === 'proxy' ? 'pipe' : 'ignore';
  const child = spawn(command, rest, { stdio: ['ignore', ours, ours] });
  started.push(child);
  return child;
}
