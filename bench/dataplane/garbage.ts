/**
 * How much garbage a connection makes: the engine under `--trace-gc`, short connections through it, what the collector of
 * the worker's heap freed, divided. Zero is the aim; what is left is per batch, not per connection. Needs root.
 *
 *   garbage.ts [time=60]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENTRY, ORIGIN, down, inside, up } from './topology.ts';

const time = Number(/time=(\d+)/.exec(process.argv[2] ?? '')?.[1] ?? 60);
const folder = mkdtempSync(join(tmpdir(), 'edgefour-garbage-'));
const load = join(folder, 'load');
let trace = '';
try {
  execFileSync('g++', ['-O2', '-std=c++20', '-pthread', '-o', load, join(import.meta.dirname, 'load', 'main.cpp')]);
  up();
  const origin = start('origin', [load, 'origin', ORIGIN]);
  const serve = join(import.meta.dirname, 'serve.ts');
  const proxy = start('proxy', [
    process.execPath,
    '--trace-gc',
    serve,
    'uring',
    '1',
    '0',
    `${ENTRY}:7000=${ORIGIN}:9000`,
  ]);
  proxy.stdout.on('data', (text: Buffer) => (trace += text.toString('latin1')));
  while (!trace.includes('ready')) await sleep(50);
  const client = start('client', [load, 'connects', `ip=${ENTRY}`, 'port=7000', `time=${time}`, 'warm=5']);
  await sleep(5000);
  const from = trace.length;
  let line = '';
  client.stdout.on('data', (text: Buffer) => (line += text.toString('latin1')));
  await new Promise((resolve) => client.on('exit', resolve));
  const { units } = JSON.parse(line) as { units: number };
  const freed = freedBytes(trace.slice(from));
  process.stdout.write(
    `${units} connections, ${freed} bytes freed: ${(freed / units).toFixed(1)} bytes a connection\n`,
  );
  proxy.kill('SIGKILL');
  origin.kill('SIGKILL');
  await sleep(200);
} finally {
  down();
  rmSync(folder, { recursive: true, force: true });
}

/** Of all collections of all heaps: the agent's thread does nothing meanwhile. */
function freedBytes(text: string): number {
  const MB = 1_048_576;
  const sizes = [...text.matchAll(/(?:Scavenge|Mark-Compact[^\d]*) (\d+\.\d+) \([^)]*\) -> (\d+\.\d+)/g)];
  return Math.round(sizes.reduce((sum, [, before, after]) => sum + (Number(before) - Number(after)) * MB, 0));
}

function start(place: 'client' | 'proxy' | 'origin', args: readonly string[]) {
  const [command = '', ...rest] = inside(place, ['taskset', '-c', place === 'proxy' ? '0' : '1', ...args]);
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}
