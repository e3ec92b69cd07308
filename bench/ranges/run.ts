/**
 * Ways to listen on thousands of ports, measured side by side; README.md says how to read it.
 * Candidates are all up at once, each in a network namespace of its own, and take turns of under a second; raw lines and
 * facts go to bench/runs/, medians to the screen. Needs root, g++, nft, ip; leaves nothing behind.
 *
 *   run.ts [rounds=9] [time=0.8] [ports=1000,10000] [ways=one,sockets,redirect,lookup] [out=FILE]
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FIRST, ORIGIN, build, entryOf, inside, takeDown } from './place.ts';

const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
const rounds = Number(given.get('rounds') ?? 9);
const time = Number(given.get('time') ?? 0.8);
const sizes = (given.get('ports') ?? '1000,10000').split(',').map(Number);
const ways = (given.get('ways') ?? 'one,sockets,redirect,lookup').split(',');
const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '');
const out = given.get('out') ?? join(import.meta.dirname, '..', 'runs', `ranges-${stamp}.json`);
/** limit: coming up takes seconds on a busy machine; more than this is a hang. */
const PATIENCE_MS = 30_000;

interface Candidate {
  readonly name: string;
  readonly ports: number;
  readonly place: number;
  readonly child: ChildProcess;
  readonly cost: Readonly<Record<string, number>>;
}
interface Turn {
  readonly candidate: string;
  readonly round: number;
  readonly load: number;
  readonly proxyMicros: number;
  readonly totalMicros: number;
  readonly rate: number;
  readonly failed: number;
}

const folder = mkdtempSync(join(tmpdir(), 'edgefour-ranges-'));
const program = join(folder, 'load');
const children: ChildProcess[] = [];
try {
  const source = join(import.meta.dirname, '..', 'dataplane', 'load', 'main.cpp');
  execFileSync('g++', ['-O2', '-std=c++20', '-pthread', '-o', program, source]);
  await measureAll();
} finally {
  for (const child of children) child.kill('SIGKILL');
  await sleep(200);
  takeDown();
  rmSync(folder, { recursive: true, force: true });
}

async function measureAll(): Promise<void> {
  const wanted = ways.flatMap((way) => (way === 'one' ? [{ way, ports: 1 }] : sizes.map((ports) => ({ way, ports }))));
  build(wanted.length);
  const origin = start(inside('origin', ['taskset', '-c', '1', program, 'origin', ORIGIN]));
  const candidates: Candidate[] = [];
  for (const [place, { way, ports }] of wanted.entries()) {
    const serve = [process.execPath, join(import.meta.dirname, 'serve.ts'), way, entryOf(place), ORIGIN, `${ports}`];
    const child = start(inside(place, ['taskset', '-c', '0', ...serve]));
    const [line] = (await once(child.stdout ?? child, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })) as [
      Buffer,
    ];
    const cost = JSON.parse(String(line)) as Record<string, number>;
    candidates.push({ name: way === 'one' ? 'one port' : `${way} ${ports}`, ports, place, child, cost });
    process.stderr.write(`${candidates.at(-1)?.name}: ${JSON.stringify(cost)}\n`);
  }
  const turns: Turn[] = [];
  for (let round = -1; round < rounds; round++) {
    // Each round begins with another one, so that no candidate always follows the same.
    for (let i = 0; i <= candidates.length; i++) {
      const at = (i + Math.max(round, 0)) % (candidates.length + 1);
      const turn = measure(candidates[at], origin, round);
      // The first round warms up.
      if (round >= 0) turns.push(turn);
    }
  }
  const medians = table(candidates, turns);
  const facts = { at: new Date().toISOString(), kernel: release(), cpu: cpus()[0]?.model, cores: cpus().length };
  const costs = Object.fromEntries(candidates.map(({ name, cost }) => [name, cost]));
  writeFileSync(
    out,
    `${JSON.stringify({ facts: { ...facts, node: process.version, rounds, time }, costs, medians, turns }, null, 1)}\n`,
  );
}

/** undefined: without a proxy. */
function measure(candidate: Candidate | undefined, origin: ChildProcess, round: number): Turn {
  const to = candidate
    ? [`ip=${entryOf(candidate.place)}`, `port=${FIRST}`, `ports=${candidate.ports}`, `proxy=${candidate.child.pid}`]
    : [`ip=${ORIGIN}`, 'port=9000'];
  const load = [program, 'connects', 'count=64', 'size=64', 'warm=0.15', `time=${time}`, `origin=${origin.pid}`, ...to];
  const [command = '', ...args] = inside('client', ['taskset', '-c', '1', ...load]);
  const text = execFileSync(command, args, { encoding: 'latin1', timeout: PATIENCE_MS });
  const { proxyMicros, totalMicros, rate, failed } = JSON.parse(text) as Turn;
  const turn = {
    candidate: candidate?.name ?? 'no proxy',
    round,
    load: loadavg()[0] ?? 0,
    proxyMicros,
    totalMicros,
    rate,
    failed,
  };
  process.stderr.write(`${round} ${turn.candidate}: ${proxyMicros} ${totalMicros} ${rate}/s\n`);
  return turn;
}

function table(candidates: readonly Candidate[], turns: readonly Turn[]): Record<string, Record<string, number>> {
  const of = (name: string, round: number): Turn => {
    const turn = turns.find((one) => one.candidate === name && one.round === round);
    if (!turn) throw new Error(`no turn of ${name}`);
    return turn;
  };
  const each = Array.from({ length: rounds }, (_, round) => round);
  const added = (name: string, round: number): number =>
    of(name, round).totalMicros - of('no proxy', round).totalMicros;
  const medians: Record<string, Record<string, number>> = {};
  for (const { name } of candidates) {
    medians[name] = {
      proxyMicros: median(each.map((round) => of(name, round).proxyMicros)),
      addedMicros: median(each.map((round) => added(name, round))),
      proxyToOnePort: median(each.map((round) => of(name, round).proxyMicros / of('one port', round).proxyMicros)),
      addedToOnePort: median(each.map((round) => added(name, round) / added('one port', round))),
      failed: each.reduce((sum, round) => sum + of(name, round).failed, 0),
    };
  }
  console.table(medians);
  console.table(Object.fromEntries(candidates.map(({ name, cost }) => [name, cost])));
  return medians;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[sorted.length >> 1] ?? NaN) * 1000) / 1000;
}

function start([command = '', ...args]: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return child;
}
