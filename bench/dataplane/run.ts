/**
 * `npm run bench`: every candidate, every measurement, several rounds. All candidates are up at once, each on a machine of
 * its own, and take turns of about a second, so that a noisy minute hurts all of them alike; raw lines and the machine's
 * facts go to bench/runs/, the table to the screen. Needs root, g++, haproxy and nginx with its stream module (on Debian it
 * installs them).
 *
 *   run.ts [rounds=5] [time=1] [warm=0.4] [threads=1] [only=PART,…] [with=PART,…] [out=FILE]
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { candidates } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import { IDLE, MEASUREMENTS } from './measurements.ts';
import type { Measurement } from './measurements.ts';
import { PORTS } from './candidates.ts';
import { table } from './table.ts';
import type { Line } from './table.ts';
import { ORIGIN, down, inside, up } from './topology.ts';
import type { Place } from './topology.ts';

const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
const rounds = Number(given.get('rounds') ?? 5);
const time = Number(given.get('time') ?? 1);
const warm = Number(given.get('warm') ?? 0.4);
const threads = Number(given.get('threads') ?? 1);
const wanted = (key: string, name: string): boolean =>
  (given.get(key) ?? '').split(',').some((part) => name.startsWith(part));

/** limit: a measurement that has not ended after this has hung. */
const PATIENCE_MS = 60_000;
/** The proxy's core, and everybody else's: with more threads all share all. */
const CORES = threads > 1 ? { proxy: '0,1', others: '0,1' } : { proxy: '0', others: '1' };

const folder = mkdtempSync(join(tmpdir(), 'edgefour-bench-'));
const started: ChildProcess[] = [];
const taking = candidates(folder, threads, (name) => wanted('with', name));
const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '');
const out = given.get('out') ?? join(import.meta.dirname, '..', 'runs', `dataplane-${stamp}-${threads}.jsonl`);
const lines: Line[] = [];

try {
  prepare();
  await rest();
  process.stdout.write(table(lines));
} finally {
  // not: SIGKILL at once, which leaves the workers of nginx behind.
  await Promise.all(started.map(stop));
  down();
  rmSync(folder, { recursive: true, force: true });
}

function prepare(): void {
  install();
  const source = join(import.meta.dirname, 'load', 'main.cpp');
  execFileSync('g++', ['-O2', '-std=c++20', '-pthread', '-o', join(folder, 'load'), source]);
  up(taking.length);
  mkdirSync(join(out, '..'), { recursive: true });
  append({ facts: facts() });
}

async function rest(): Promise<void> {
  const origin = start('origin', CORES.others, [join(folder, 'load'), 'origin', ORIGIN]);
  await sleep(300);
  for (let round = 0; wanted('only', IDLE.name) && round < rounds; round++)
    for (const candidate of taking) {
      const proxy = await serve(candidate);
      if (!proxy) continue;
      note(candidate, IDLE, round, origin, proxy);
      await stop(proxy);
    }
  const proxies = new Map<Candidate, ChildProcess | undefined>();
  for (const candidate of taking) proxies.set(candidate, await serve(candidate));
  // order: the first round warms everybody up and is not written down.
  for (let round = -1; round < rounds; round++)
    for (const measurement of MEASUREMENTS) {
      if (!wanted('only', measurement.name)) continue;
      for (let i = 0; i < taking.length; i++) {
        const candidate = taking[(i + round + taking.length) % taking.length];
        if (candidate && (candidate.udp || !measurement.udp))
          note(candidate, measurement, round, origin, proxies.get(candidate));
      }
    }
}

async function serve({ command, place }: Candidate): Promise<ChildProcess | undefined> {
  if (!command) return undefined;
  const proxy = start(place, CORES.proxy, command);
  await ready(proxy);
  return proxy;
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  for (let i = 0; i < 50 && child.exitCode === null && child.signalCode === null; i++) await sleep(100);
  child.kill('SIGKILL');
}

/** One measurement: its figures go to the file and to the table, unless it only warms up (round −1). */
function note(
  candidate: Candidate,
  measurement: Measurement,
  round: number,
  origin: ChildProcess,
  proxy?: ChildProcess,
): void {
  if ((proxy?.exitCode ?? null) !== null)
    throw new Error(`${candidate.name} has ended; is its port free, its module installed?`);
  const result = measure(candidate, measurement, origin, proxy);
  if (round < 0) return;
  const load = loadavg()[0] ?? 0;
  const line: Line = { candidate: candidate.name, measurement: measurement.name, round, load, ...result };
  lines.push(line);
  append(line);
  process.stderr.write(`${round} ${candidate.name}: ${measurement.name} ${JSON.stringify(result)}\n`);
}

function measure(
  { address, command: proxied }: Candidate,
  { load, port }: Measurement,
  origin: ChildProcess,
  proxy?: ChildProcess,
): Record<string, number> {
  const where = [`ip=${address}`, `port=${proxied ? port : PORTS[port]}`];
  const counted = [`origin=${origin.pid}`, ...(proxy?.pid ? [`proxy=${family(proxy.pid).join(',')}`] : [])];
  const args = [
    join(folder, 'load'),
    load[0] ?? '',
    `time=${time}`,
    `warm=${warm}`,
    ...load.slice(1),
    ...where,
    ...counted,
  ];
  const [command = '', ...rest] = inside('client', ['nice', '-n', '-10', 'taskset', '-c', CORES.others, ...args]);
  const text = execFileSync(command, rest, { encoding: 'latin1', timeout: PATIENCE_MS });
  const { mode: _, ...figures } = JSON.parse(text) as Record<string, number> & { mode: string };
  return figures;
}

function start(place: Place, cores: string, command: readonly string[]): ChildProcess {
  const [first = '', ...rest] = inside(place, ['nice', '-n', '-10', 'taskset', '-c', cores, ...command]);
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

/** Ours says so; the peers say nothing and are up in no time. */
async function ready(proxy: ChildProcess): Promise<void> {
  const ours = once(proxy.stdout ?? proxy, 'data');
  await Promise.race([ours, sleep(proxy.spawnargs.includes(process.execPath) ? PATIENCE_MS : 500)]);
}

/** A process and those it has started. */
function family(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = existsSync(path) ? readFileSync(path, 'latin1').trim() : '';
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => family(Number(child))))];
}

function install(): void {
  const missing = ['haproxy', 'nginx', 'g++'].filter((name) => !has(name));
  const stream = existsSync('/usr/lib/nginx/modules/ngx_stream_module.so');
  if (missing.length === 0 && stream) return;
  process.stderr.write('installing the peers …\n');
  execFileSync('apt-get', ['install', '-y', '-qq', 'haproxy', 'nginx', 'libnginx-mod-stream', 'g++'], {
    stdio: 'inherit',
  });
}

function has(name: string): boolean {
  return (process.env['PATH'] ?? '')
    .split(':')
    .concat('/usr/sbin')
    .some((path) => existsSync(join(path, name)));
}

function facts(): Record<string, unknown> {
  const version = (command: string, flag: string): string => {
    try {
      return execFileSync('sh', ['-c', `${command} ${flag} 2>&1 | head -1`], { encoding: 'latin1' }).trim();
    } catch {
      return 'none';
    }
  };
  return {
    at: new Date().toISOString(),
    kernel: release(),
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    // Shares differ between machines by the price of calls, into the kernel and within it.
    callNanos: (JSON.parse(execFileSync(join(folder, 'load'), ['call'], { encoding: 'latin1' })) as { nanos: number })
      .nanos,
    spectre: readFileSync('/sys/devices/system/cpu/vulnerabilities/spectre_v2', 'latin1').trim(),
    memory: totalmem(),
    node: process.version,
    haproxy: version('haproxy', '-v'),
    nginx: version('nginx', '-v'),
    rounds,
    time,
    warm,
    threads,
  };
}

function append(line: unknown): void {
  appendFileSync(out, `${JSON.stringify(line)}\n`);
}
