/**
 * `npm run check`: types, lint, format and the house tests, side by side, one line each. A step that fails shows what it
 * said; the rest still run. Exits 1 if any failed.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT } from './tree.ts';

const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);
const houseTests = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));

const STEPS: readonly (readonly [string, string, ...string[]])[] = [
  ['types', bin('tsc')],
  ['lint', bin('oxlint'), '--type-aware'],
  ['format', bin('oxfmt'), '--check'],
  // not: a process per file. Each would read the whole tree again.
  [
    'house',
    process.execPath,
    '--test',
    '--test-isolation=none',
    ...houseTests.map((name) => join('test', 'house', name)),
  ],
];

function run(command: string, args: readonly string[]): Promise<{ ok: boolean; said: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += String(chunk)));
    child.on('error', (error) => resolve({ ok: false, said: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, said }));
  });
}

async function report([name, command, ...args]: (typeof STEPS)[number]): Promise<void> {
  const start = performance.now();
  const { ok, said } = await run(command, args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(7)} ${seconds} s\n`);
  if (ok) return;
  process.stdout.write(`${said.trimEnd()}\n`);
  process.exitCode = 1;
}

await Promise.all(STEPS.map(report));
