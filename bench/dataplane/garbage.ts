/**
 * How much garbage a connection makes: the engine under `--trace-gc`, short connections through it, what the collector of
 * the worker's heap freed, divided. Zero is the aim; what is left is per batch, not per connection. The result goes to
 * bench/runs/, too. Needs root.
 *
 *   garbage.ts [count=1000000] [records=0]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENTRY, ORIGIN, down, inside, up } from './topology.ts';

const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
const count = Number(given.get('count') ?? 1_000_000);
const records = given.get('records') ?? '0';
/** Connections come in rounds of so many seconds, until there were enough. */
const ROUND_S = 10;
/** limit: a machine that does not even do a thousand a second is not measured but waited for. */
const MOST_S = Math.max(60, count / 1000);
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
    records,
    `${ENTRY}:7000=${ORIGIN}:9000`,
  ]);
  proxy.stdout.on('data', (text: Buffer) => (trace += text.toString('latin1')));
  while (!trace.includes('ready')) await sleep(50);
  // Warm-up, which is not counted.
  await connections(3);
  const from = trace.length;
  const began = performance.now();
  let units = 0;
  while (units < count) {
    if (performance.now() - began > MOST_S * 1000) throw new Error(`${units} connections in ${MOST_S} s`);
    units += await connections(ROUND_S);
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  const { bytes, collections } = freed(trace.slice(from));
  const facts = {
    at: new Date().toISOString(),
    kernel: release(),
    cpu: cpus()[0]?.model,
    node: process.version,
    records,
  };
  const result = { ...facts, units, seconds, freedBytes: bytes, collections, bytesPerConnection: bytes / units };
  const stamp = facts.at.slice(0, 16).replaceAll(':', '');
  writeFileSync(join(import.meta.dirname, '..', 'runs', `garbage-${stamp}.json`), `${JSON.stringify(result)}\n`);
  process.stdout.write(
    `${units} connections in ${seconds} s, ${bytes} bytes freed in ${collections} collections: ` +
      `${(bytes / units).toFixed(1)} bytes a connection\n`,
  );
  proxy.kill('SIGKILL');
  origin.kill('SIGKILL');
  await sleep(200);
} finally {
  down();
  rmSync(folder, { recursive: true, force: true });
}

/** Short connections for so many seconds; how many there were. */
async function connections(seconds: number): Promise<number> {
  const client = start('client', [load, 'connects', `ip=${ENTRY}`, 'port=7000', `time=${seconds}`, 'warm=0']);
  let line = '';
  client.stdout.on('data', (text: Buffer) => (line += text.toString('latin1')));
  await new Promise((resolve) => client.on('exit', resolve));
  return (JSON.parse(line) as { units: number }).units;
}

/** Of all collections of all heaps: the agent's thread does nothing meanwhile. */
function freed(text: string): { bytes: number; collections: number } {
  const MB = 1_048_576;
  const sizes = [...text.matchAll(/(?:Scavenge|Mark-Compact[^\d]*) (\d+\.\d+) \([^)]*\) -> (\d+\.\d+)/g)];
  const bytes = Math.round(sizes.reduce((sum, [, before, after]) => sum + (Number(before) - Number(after)) * MB, 0));
  return { bytes, collections: sizes.length };
}

function start(place: 'client' | 'proxy' | 'origin', args: readonly string[]) {
  const [command = '', ...rest] = inside(place, ['taskset', '-c', place === 'proxy' ? '0' : '1', ...args]);
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}
