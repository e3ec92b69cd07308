/** The command line as a person runs it, in a process of its own with an environment that holds nothing of ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import type { Environment } from '../../src/config/read.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const MAIN = join(ROOT, 'src', 'cli', 'main.ts');

export function spawnCommand(args: readonly string[], environment: Environment = {}, main = MAIN): ChildProcess {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE, ...environment };
  return spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The same by `npm start`, in a group of its own, as a terminal has one for what it runs. */
export function spawnNpmStart([, ...args]: readonly string[], environment: Environment = {}): ChildProcess {
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE, ...environment };
  return spawn('npm', ['start', '--', ...args], { cwd: ROOT, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
}

export interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Resolves when it has ended. */
export async function edgefour(args: readonly string[], environment: Environment = {}): Promise<Done> {
  const child = spawnCommand(args, environment);
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (part: string) => (said.stdout += part));
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (said.stderr += part));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}
