/** What a benchmark has found, kept with the facts of the machine as `bench/runs/<name>-<time>.json`. Called at its end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';

/** `more`: what else says under which circumstances it ran. Gives the text that was kept. */
export function keepRun(name: string, results: unknown, more: object = {}): string {
  const at = new Date(systemClock.now()).toISOString();
  const run = {
    at,
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
    machine: {
      cpu: cpus()[0]?.model,
      cores: cpus().length,
      memoryMb: Math.round(totalmem() / 1_048_576),
      kernel: release(),
      node: process.version,
      loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
      ...more,
    },
    results,
  };
  const text = `${JSON.stringify(run, null, 2)}\n`;
  const folder = join(import.meta.dirname, 'runs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}-${at.slice(0, 19).replaceAll(':', '')}.json`), text);
  return text;
}
