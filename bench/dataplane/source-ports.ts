/**
 * `npm run bench:source-ports`: the cost of a connection when thousands before it to the same origin are in TIME_WAIT, with
 * the system's own settings, in three namespaces; nginx beside. Meanwhile another program on each proxy's machine dials
 * elsewhere, and is to find a port each time. Raw figures go to bench/runs/. Needs root and nginx with its stream module.
 *
 *   source-ports.ts [rate=300] [time=120] [every=10] [others=1000] [with=PART,…] [ports=SPANS|off]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { candidates } from './candidates.ts';
import { down, inside, ORIGIN, type Place, up } from './topology.ts';

const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
const number = (key: string, otherwise: number): number => Number(given.get(key) ?? otherwise);
const [rate, time, every, others] = [
  number('rate', 300),
  number('time', 120),
  number('every', 10),
  number('others', 1000),
];
const ports = given.get('ports') ?? '10240-32767,61000-65535';
const wanted = (given.get('with') ?? 'edgefour uring,nginx 16k').split(',');
const [ENTRY_PORT, ORIGIN_PORT, ELSEWHERE] = [7000, 9000, 9001];

/** Clients take a moment to start, and go on until the last window is over. */
const AROUND = 2;
const folder = mkdtempSync(join(tmpdir(), 'edgefour-bench-'));
const started: ChildProcess[] = [];
const pace = (...args: readonly (string | number)[]): string[] => [
  process.execPath,
  join(import.meta.dirname, 'pace.ts'),
  ...args.map(String),
];

interface Paced {
  readonly served: number;
  readonly failed: Readonly<Record<string, number>>;
}

try {
  const taking = candidates(folder, 1, (name) => wanted.includes(name));
  up(taking.length, 'defaults');
  for (const port of [ORIGIN_PORT, ELSEWHERE]) await ready(start('origin', pace('origin', ORIGIN, port)));
  const proxies = [];
  for (const { name, place, command = [] } of taking) {
    const ours = name.startsWith('edgefour') && ports !== 'off' ? [`ports=${ports}`] : [];
    const child = start(place, command.concat(ours));
    proxies.push({ name, child });
    if (name.startsWith('edgefour')) await ready(child);
  }
  await sleep(1000);
  const runs = taking.map(({ address }) =>
    said(start('client', pace('client', address, ENTRY_PORT, rate, rate * (time + 2 * AROUND)))),
  );
  const beside = taking.map(({ place }) =>
    said(start(place, pace('client', ORIGIN, ELSEWHERE, others / time, others))),
  );
  await sleep(AROUND * 1000);
  const windows = proxies.map((): number[] => []);
  let before = proxies.map(({ child }) => cpuOf(child.pid ?? 0));
  for (let at = every; at <= time; at += every) {
    await sleep(every * 1000);
    const now = proxies.map(({ child }) => cpuOf(child.pid ?? 0));
    for (const [i, cpu] of now.entries()) windows[i]?.push((cpu - (before[i] ?? 0)) / 1000 / (rate * every));
    before = now;
  }
  const [clients, dialled] = await Promise.all([Promise.all(runs), Promise.all(beside)]);
  const results = proxies.map(({ name }, i) => {
    const [first = NaN] = windows[i] ?? [];
    const last = windows[i]?.at(-1) ?? NaN;
    return { name, microseconds: windows[i], share: last / first, clients: clients[i], others: dialled[i] };
  });
  for (const { name, microseconds = [], share, clients: ends, others: found } of results) {
    process.stdout.write(
      `${name}: µs of CPU per connection, each ${every} s: ${microseconds.map((us) => us.toFixed(0)).join(' ')} ` +
        `(last ÷ first ${share.toFixed(2)}); served ${JSON.stringify(ends)}; another program ${JSON.stringify(found)}\n`,
    );
  }
  const at = new Date().toISOString();
  const facts = { at, kernel: release(), node: process.version, load: loadavg(), rate, time, every, ports };
  const out = join(import.meta.dirname, '..', 'runs', `source-ports-${at.slice(0, 16).replaceAll(':', '')}.json`);
  writeFileSync(out, `${JSON.stringify({ ...facts, results })}\n`);
} finally {
  for (const child of started) child.kill('SIGTERM');
  await sleep(500);
  for (const child of started) child.kill('SIGKILL');
  down();
  rmSync(folder, { recursive: true, force: true });
}

function start(place: Place, args: readonly string[]): ChildProcess {
  const [command = '', ...rest] = inside(place, args);
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return child;
}

async function ready(child: ChildProcess): Promise<void> {
  let text = '';
  child.stdout?.on('data', (part: Buffer) => (text += part.toString('latin1')));
  while (!text.includes('ready')) await sleep(50);
}

async function said(child: ChildProcess): Promise<Paced> {
  let text = '';
  child.stdout?.on('data', (part: Buffer) => (text += part.toString('latin1')));
  await new Promise((resolve) => child.on('exit', resolve));
  return JSON.parse(text) as Paced;
}

/** Nanoseconds that the threads of a process and of its children have run. */
function cpuOf(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim();
    if (children !== '') for (const child of children.split(' ')) sum += cpuOf(Number(child));
  }
  return sum;
}
