/**
 * `npm run bench:growth`: the cost of the kernel engine as rules and origins grow in number, and how long one rule's change
 * takes among many. All sizes are up at once, each on a machine of its own, and take turns of about a second; shares are
 * medians over the rounds. Raw lines and the machine's facts go to bench/runs/, the tables to the screen. Needs root and
 * g++.
 *
 *   growth.ts [rounds=5] [time=0.8] [warm=0.3] [times=100] [way=long|fast] [only=packets|changes] [loads=PART,…]
 *             [out=FILE]
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_PROXY, PORTS } from './candidates.ts';
import { ORIGINS_NET, originAddresses } from './growth-rules.ts';
import { type Changes, changesTable, packetsTable, SIZES, type Size } from './growth-table.ts';
import { MEASUREMENTS, type Measurement } from './measurements.ts';
import type { Line } from './table.ts';
import { down, entryOf, inside, moreAddresses, moreOrigins, type Place, proxyPlace, up } from './topology.ts';

const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
const rounds = Number(given.get('rounds') ?? 5);
const time = given.get('time') ?? '0.8';
const warm = given.get('warm') ?? '0.3';
const times = given.get('times') ?? '100';
/** Which way packets of established connections go: new ones always go the long one. */
const way = given.get('way') === 'fast' ? 'fast' : 'long';
const only = given.get('only') ?? '';
const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '');
const out = given.get('out') ?? join(import.meta.dirname, '..', 'runs', `growth-${stamp}.jsonl`);

/** limit: a step that has not ended after this has hung. */
const PATIENCE_MS = 120_000;
const CORES = { proxy: '0', others: '1' };
const LOADS = new Set(['connects', 'rr 64 B', 'udp 64 B', 'down, 1 stream']);
const loads = given.get('loads')?.split(',') ?? [''];
const MEASURED = MEASUREMENTS.filter(({ name }) => LOADS.has(name) && loads.some((wanted) => name.startsWith(wanted)));
/** How many rules there are while one changes, and how many origins each has. */
const AMONG = [
  { rules: 1, origins: 1 },
  { rules: 10_000, origins: 1 },
  { rules: 10_000, origins: 2 },
];
/** Where changes are measured: its origins are its own. */
const APPLYING = SIZES.length;
const MOST_ORIGINS = Math.max(...SIZES.map(({ origins }) => origins));

const folder = mkdtempSync(join(tmpdir(), 'edgefour-growth-'));
const load = join(folder, 'load');
const started: ChildProcess[] = [];

try {
  const source = join(import.meta.dirname, 'load', 'main.cpp');
  execFileSync('g++', ['-O2', '-std=c++20', '-pthread', '-o', load, source]);
  mkdirSync(join(out, '..'), { recursive: true });
  up(APPLYING + 1);
  moreOrigins(APPLYING, ORIGINS_NET, originAddresses(MOST_ORIGINS));
  moreAddresses(proxyPlace(APPLYING), originAddresses(2));
  append({ facts: facts() });
  if (only !== 'changes') process.stdout.write(packetsTable(await packets(), way));
  if (only !== 'packets') process.stdout.write(`\n${changesTable(changes())}`);
} finally {
  for (const child of started) child.kill('SIGKILL');
  await sleep(200);
  down();
  rmSync(folder, { recursive: true, force: true });
}

async function packets(): Promise<Line[]> {
  const origin = start('origin', CORES.others, [load, 'origin', '0.0.0.0']);
  const proxies = new Map<Size, ChildProcess>();
  for (const [i, size] of SIZES.entries()) if (size.rules > 0) proxies.set(size, await serve(size, i));
  const lines: Line[] = [];
  // order: the first round warms everybody up and is not written down.
  for (let round = -1; round < rounds; round++)
    for (const measurement of MEASURED)
      for (let turn = 0; turn < SIZES.length; turn++) {
        const i = (turn + round + SIZES.length) % SIZES.length;
        const size = SIZES[i];
        if (!size) continue;
        const figures = measure(i, measurement, origin, proxies.get(size));
        if (round < 0) continue;
        const now = loadavg()[0] ?? 0;
        const line: Line = { candidate: size.name, measurement: measurement.name, round, load: now, ...figures };
        lines.push(line);
        append(line);
      }
  for (const child of [origin, ...proxies.values()]) child.kill('SIGKILL');
  return lines;
}

async function serve({ rules, origins }: Size, i: number): Promise<ChildProcess> {
  const program = [process.execPath, join(import.meta.dirname, 'growth-serve.ts')];
  const proxy = start(proxyPlace(i), CORES.proxy, [...program, entryOf(i), `${rules}`, `${origins}`, way]);
  await Promise.race([
    once(proxy.stdout ?? proxy, 'data'),
    once(proxy, 'exit').then(() => Promise.reject(new Error(`${rules} rules are not served`))),
    sleep(PATIENCE_MS, undefined, { ref: false }).then(() => Promise.reject(new Error(`${rules} rules take too long`))),
  ]);
  return proxy;
}

function measure(i: number, { load: args, port }: Measurement, origin: ChildProcess, proxy?: ChildProcess) {
  const [mode = '', ...rest] = args;
  const where = proxy ? [`ip=${entryOf(i)}`, `port=${port}`] : [`ip=${originAddresses(1)[0]}`, `port=${PORTS[port]}`];
  const counted = [`origin=${origin.pid}`, ...(proxy ? [`proxy=${proxy.pid}`] : [])];
  const text = run('client', CORES.others, [load, mode, `time=${time}`, `warm=${warm}`, ...rest, ...where, ...counted]);
  const { mode: _, ...figures } = JSON.parse(text) as Record<string, number> & { mode: string };
  return figures;
}

/** Of this run alone. */
function changes(): Changes[] {
  return AMONG.map(({ rules, origins }) => {
    const program = [process.execPath, '--expose-gc', join(import.meta.dirname, 'growth-apply.ts')];
    const args = [entryOf(APPLYING), `${rules}`, `${origins}`, times];
    const line = JSON.parse(run(proxyPlace(APPLYING), '0,1', [...program, ...args])) as Changes;
    append(line);
    return line;
  });
}

function command(place: Place, cores: string, args: readonly string[]): [string, string[]] {
  const [first = '', ...rest] = inside(place, ['nice', '-n', '-10', 'taskset', '-c', cores, ...args]);
  return [first, rest];
}

function run(place: Place, cores: string, args: readonly string[]): string {
  return execFileSync(...command(place, cores, args), { encoding: 'latin1', timeout: PATIENCE_MS });
}

function start(place: Place, cores: string, args: readonly string[]): ChildProcess {
  const child = spawn(...command(place, cores, args), { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

function facts(): Record<string, unknown> {
  const [first] = cpus();
  const machine = { kernel: release(), cpu: first?.model, cores: cpus().length, memory: totalmem() };
  return {
    at: new Date().toISOString(),
    ...machine,
    node: process.version,
    rounds,
    time,
    warm,
    times,
    way,
    base: NO_PROXY,
  };
}

function append(line: unknown): void {
  appendFileSync(out, `${JSON.stringify(line)}\n`);
}
