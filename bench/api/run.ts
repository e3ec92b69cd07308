/**
 * `npm run bench:api [create] [describe] [start]`: measures the control plane, prints the results and keeps them with the
 * facts of the machine in bench/runs. The method is in README.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/lib/clock.ts';
import { measureCreate } from './create.ts';
import { measureDescribe } from './describe.ts';
import { measureStart } from './start.ts';

const PARTS = { create: measureCreate, describe: measureDescribe, start: measureStart } as const;
type Part = keyof typeof PARTS;

if (process.platform !== 'linux') throw new Error('CPU time and memory are read from /proc: this runs on Linux only');
const asked = process.argv.slice(2).filter((name): name is Part => Object.hasOwn(PARTS, name));
const results: Record<string, unknown> = {};
for (const part of asked.length > 0 ? asked : (Object.keys(PARTS) as Part[])) results[part] = await PARTS[part]();

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
    sqlite: process.versions['sqlite'],
    loadAverage: loadavg().map((load) => Number(load.toFixed(2))),
  },
  results,
};
const text = `${JSON.stringify(run, null, 2)}\n`;
const folder = join(import.meta.dirname, '..', 'runs');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, `api-${at.slice(0, 19).replaceAll(':', '')}.json`), text);
process.stdout.write(text);
