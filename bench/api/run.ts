/**
 * `npm run bench:api [create] [describe] [start]`: measures the control plane, prints the results and keeps them with the
 * facts of the machine in bench/runs. The method is in README.md.
 */
import { keepRun } from '../run-record.ts';
import { measureCreate } from './create.ts';
import { measureDescribe } from './describe.ts';
import { measureStart } from './start.ts';

const PARTS = { create: measureCreate, describe: measureDescribe, start: measureStart } as const;
type Part = keyof typeof PARTS;

if (process.platform !== 'linux') throw new Error('CPU time and memory are read from /proc: this runs on Linux only');
const asked = process.argv.slice(2).filter((name): name is Part => Object.hasOwn(PARTS, name));
const results: Record<string, unknown> = {};
for (const part of asked.length > 0 ? asked : (Object.keys(PARTS) as Part[])) results[part] = await PARTS[part]();

const text = keepRun('api', results, { sqlite: process.versions['sqlite'] });
process.stdout.write(text);
