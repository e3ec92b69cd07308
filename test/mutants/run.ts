/**
 * `npm run mutants [-- [seed=N] [ROOM=COUNT|ROOM=all …]]`: changes the product in one place at a time and runs the tests of
 * that file, which should fail. Prints the share that did for each room, and every mutant that nobody noticed. It works on
 * copies of the tree, two side by side, and is no part of a release's checks: it takes most of an hour.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { seededRng } from '../../src/lib/rng.ts';
import { product, ROOT } from '../house/tree.ts';
import { type Mutant, openMutator } from './mutants.ts';
import { testsOf } from './tests-of.ts';

/** Of which rooms, and how many mutants of each. */
const ROOMS: Readonly<Record<string, number>> = {
  'src/engines/flow': Infinity,
  'src/edge': 200,
  'src/plan': 200,
  'src/domain': 200,
  'src/api': 200,
};
const COPIES = 2;
/** limit: a mutant that loops for ever; several times what the unchanged tests take is as good as a failure. */
const LEAST_PATIENCE_MS = 20_000;
const PATIENCE = 5;

type Verdict = 'killed' | 'survived' | 'untested';

const { seed, rooms } = readArguments(process.argv.slice(2));
const places = Array.from({ length: COPIES }, () => copyTree());
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const place of places) rmSync(place, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const mutantsOf = await openMutator();
const tests = testsOf();
const unchanged = new Map<string, Promise<number>>();
for (const [room, most] of rooms) await examine(room, most);
process.exit();

async function examine(room: string, most: number): Promise<void> {
  const all: Mutant[] = [];
  for (const { path, text } of product().filter((source) => source.path.startsWith(`${room}/`)))
    all.push(...(await mutantsOf(path, text)));
  const chosen = sample(all, most);
  const counts = { killed: 0, survived: 0, untested: 0 };
  await Promise.all(
    places.map(async (place) => {
      for (let mutant = chosen.pop(); mutant !== undefined; mutant = chosen.pop()) {
        const verdict = await judge(place, mutant);
        counts[verdict] += 1;
        if (verdict !== 'killed') say(`  ${verdict} ${describe(mutant)}`);
      }
    }),
  );
  const tried = counts.killed + counts.survived + counts.untested;
  const share = ((100 * counts.killed) / Math.max(1, tried)).toFixed(1);
  say(
    `${room}: ${counts.killed} of ${tried} killed (${share} %), ${counts.untested} without a test; ${all.length} there are`,
  );
}

function sample(all: readonly Mutant[], most: number): Mutant[] {
  const rng = seededRng(seed);
  const rest = [...all];
  const chosen: Mutant[] = [];
  while (rest.length > 0 && chosen.length < most) chosen.push(...rest.splice(rng.below(rest.length), 1));
  // By file, so that one that has no passing test is found once.
  return chosen.sort((a, b) => (a.path < b.path ? 1 : a.path > b.path ? -1 : b.from - a.from));
}

async function judge(place: string, mutant: Mutant): Promise<Verdict> {
  const files = tests(mutant.path);
  if (files.length === 0) return 'untested';
  const key = files.join(' ');
  const first = unchanged.get(key) ?? timed(place, files);
  unchanged.set(key, first);
  const patience = Math.max(LEAST_PATIENCE_MS, PATIENCE * (await first));
  const path = join(place, mutant.path);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.slice(0, mutant.from) + mutant.replacement + text.slice(mutant.to));
  try {
    return (await passes(place, files, patience)) ? 'survived' : 'killed';
  } finally {
    writeFileSync(path, text);
  }
}

/** Milliseconds that the tests take as they are; they must pass. */
async function timed(place: string, files: readonly string[]): Promise<number> {
  const start = performance.now();
  if (!(await passes(place, files, Infinity))) throw new Error(`these fail without a change: ${files.join(' ')}`);
  return performance.now() - start;
}

function passes(place: string, files: readonly string[], patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const args = ['--test', '--test-concurrency=1', '--test-reporter=dot', ...files];
    const child = spawn(process.execPath, args, { cwd: place, stdio: 'ignore', detached: true });
    running.add(child);
    // The runner's children are in its process group.
    const kill = (): void => void process.kill(-child.pid!, 'SIGKILL');
    const timer = patience === Infinity ? undefined : setTimeout(kill, patience);
    child.once('close', (code) => {
      clearTimeout(timer);
      running.delete(child);
      resolve(code === 0);
    });
  });
}

function copyTree(): string {
  const place = mkdtempSync(join(tmpdir(), 'edgefour-mutants-'));
  for (const part of ['src', 'test', 'bench', 'bin', 'docs', 'examples', 'deploy', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, part), join(place, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
  return place;
}

function describe({ path, line, mutator, from, to, replacement }: Mutant): string {
  const was = readFileSync(join(ROOT, path), 'utf8').slice(from, to);
  const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 60);
  return `${path}:${line} ${mutator}: ${short(was)} → ${short(replacement)}`;
}

function readArguments(args: readonly string[]): { seed: number; rooms: [string, number][] } {
  const pairs = args.map((arg) => arg.split('=', 2) as [string, string]);
  const given = pairs.filter(([name]) => name !== 'seed');
  for (const [name, count = ''] of given)
    if (!name.startsWith('src/') || !/^(all|\d+)$/.test(count)) throw new Error(`say ROOM=COUNT, not ${name}=${count}`);
  return {
    seed: Number(pairs.find(([name]) => name === 'seed')?.[1] ?? 1),
    rooms:
      given.length === 0 ? Object.entries(ROOMS) : given.map(([room, n]) => [room, n === 'all' ? Infinity : Number(n)]),
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
