/**
 * `npm run bench:flips`: how long an engine takes to obey a change of an origin's state, from the call to its answer, with 1,000
 * and 10,000 rules that lead there and to two more; and how long another rule's change takes that is asked for at the same
 * moment. Each engine in a process and a network namespace of its own, without traffic. Prints a table; the figures go to
 * bench/runs/ with the machine's facts. Needs root.
 *
 *   flips.ts [flips=100] [out=FILE]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Engine, EngineEvents } from '../../src/engines/engine.ts';
import { createKernelEngine } from '../../src/engines/kernel/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { each, others, rule } from './growth-rules.ts';

const ENGINES: Readonly<Record<string, (events: EngineEvents) => Promise<Engine>>> = {
  node: createNodeEngine,
  // limit: a socket per rule and worker; 20,000 files is what many machines allow.
  uring: (events) => createUringEngineWith({ workers: 1, descriptors: 15_000 }, events),
  kernel: (events) => createKernelEngine(events, { use: 'by name', onStop: 'flush', owner: 'bench' }),
};
const SIZES = [1_000, 10_000];
const ENTRY = '10.90.0.1';
const ORIGINS = ['10.91.0.1', '10.91.0.2', '10.91.0.3'];
const events: EngineEvents = { record() {}, listener() {}, outcomes() {}, log() {} };

interface Figures {
  readonly flip: readonly number[];
  /** Asked for just after the flip. */
  readonly change: readonly number[];
  /** What both took of processors, all threads together: the same on a busy machine, nearly. */
  readonly cpu: readonly number[];
}

/** In the namespace of this process. Milliseconds. */
async function measure(engine: Engine, count: number, flips: number): Promise<Figures> {
  const figures = { flip: [] as number[], change: [] as number[], cpu: [] as number[] };
  const apply = async (listener: ReturnType<typeof rule>): Promise<void> => {
    const applied = await engine.apply(listener);
    if (!applied.ok) throw new Error(applied.reason);
  };
  const time = async (work: Promise<void>): Promise<number> => {
    const began = performance.now();
    await work;
    return performance.now() - began;
  };
  await each(others(ENTRY, count, ORIGINS), apply);
  const changed = (n: number) =>
    rule({ id: 'changed', entry: ENTRY, port: 9_000, originPort: 9_100, origins: ORIGINS.slice(0, 1 + (n % 2)) });
  await apply(changed(0));
  for (let n = 0; n < flips; n++) {
    const state = n % 2 === 0 ? 'down' : 'up';
    const before = process.cpuUsage();
    const flip = time(engine.states([{ target: 0, state }]));
    const change = time(apply(changed(n)));
    figures.flip.push(await flip);
    figures.change.push(await change);
    const { user, system } = process.cpuUsage(before);
    figures.cpu.push((user + system) / 1_000);
  }
  return figures;
}

const at = (all: readonly number[], part: number): number =>
  all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))] ?? 0;

function facts(): Record<string, unknown> {
  const [first] = cpus();
  const machine = { kernel: release(), cpu: first?.model, cores: cpus().length, memory: totalmem(), load: loadavg() };
  return { at: new Date().toISOString(), node: process.version, ...machine };
}

function main(): void {
  const given = new Map(process.argv.slice(2).map((pair) => pair.split('=', 2) as [string, string]));
  const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '');
  const out = given.get('out') ?? join(import.meta.dirname, '..', 'runs', `flips-${stamp}.json`);
  const results = [];
  process.stdout.write(
    '| Engine | Rules | Flip p50, p99 ms | Other rule p50, p99 ms | CPU p50, p99 ms |\n|---|---|---|---|---|\n',
  );
  for (const engine of Object.keys(ENGINES))
    for (const rules of SIZES) {
      const inside = `ip link set lo up; ip addr add ${ENTRY}/32 dev lo; ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"`;
      const args = [import.meta.filename, engine, `${rules}`, given.get('flips') ?? '100'];
      const said = execFileSync('unshare', ['--net', '/bin/bash', '-ec', inside, process.execPath, ...args], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      });
      const figures = JSON.parse(said) as Figures;
      const [flip, change, cpu] = [figures.flip, figures.change, figures.cpu].map((all) =>
        [0.5, 0.99].map((part) => at(all, part).toFixed(1)).join(', '),
      );
      process.stdout.write(`| ${engine} | ${rules} | ${flip} | ${change} | ${cpu} |\n`);
      results.push({ engine, rules, ...figures });
    }
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify({ facts: facts(), results })}\n`);
}

const [name = '', count, flips] = process.argv.slice(2);
const create = ENGINES[name];
if (create) {
  const engine = await create(events);
  const figures = await measure(engine, Number(count), Number(flips));
  await engine.stop(0);
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0));
} else main();
