/** The two ways a test has an EdgeFour: control and edge in this process, or the real tree that `edgefour up` starts. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { openDataFolder } from '../../src/config/data-folder.ts';
import { type Environment, readConfig } from '../../src/config/read.ts';
import { startControl } from '../../src/control/control.ts';
import { startEdge } from '../../src/edge/agent.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { VERSION } from '../../src/program/version.ts';
import { silentLog } from '../../src/observe/log.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { MAIN, spawnCommand, type spawnNpmStart } from './command.ts';

export interface Facts {
  readonly api: string;
  readonly dns: string;
  readonly console: string;
  readonly secretId: string;
  readonly secretKey: string;
  readonly zoneId: string;
}

export interface Place {
  readonly facts: Facts;
  /** Ends it in order, leaving the folder. May be called twice. */
  stop(): Promise<void>;
}

/** `args` as for `edgefour up`. */
export async function inProcess(args: readonly string[], environment: Environment): Promise<Place> {
  const { config } = readConfig(args, ['up'], {}, environment);
  const folder = openDataFolder(config.data);
  const control = await startControl(config, folder, { log: silentLog, edge: config.edge });
  const { edge: edgeId, site, engine, records, originsDeny } = config;
  const rules = { engine, records, originsDeny };
  const identity = { dataDir: folder.path, edgeId, site, ...rules, join: folder.socket, version: VERSION };
  // On this thread: a world is made for every test, and a thread costs more than all the rest of it.
  const edge = await startEdge(identity, { log: silentLog, clock, engines: { node: createNodeEngine } });
  await edge.ready;
  let stopped: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await edge.stop(0);
    await control.stop();
  }
  return { facts: control, stop: () => (stopped ??= stop()) };
}

export interface Tree extends Place {
  readonly up: ChildProcess;
  /** What it printed on both streams, all of it so far. */
  output(): string;
  /** The process ids now; absent where that one isn't there. Linux only. */
  pids(): { readonly up: number; readonly control?: number; readonly edge?: number };
  /** Resolves with the exit code once `up` has ended. */
  readonly ended: Promise<number | null>;
}

/** A machine that runs other tests beside this one may take long to start three processes. */
const READY_WITHIN_MS = 60_000;

/** Resolves once it is ready; rejects with what it said where it ends before that. */
export async function inProcesses(
  args: readonly string[],
  environment: Environment,
  readyFile: string,
  spawnUp: typeof spawnNpmStart = spawnCommand,
): Promise<Tree> {
  const up = spawnUp(['up', ...args, '--ready-file', readyFile], environment);
  const output = collect(up);
  const ended = once(up, 'close').then(([code]) => code as number | null);
  const end = new AbortController();
  const early = ended.then((code) => {
    if (!end.signal.aborted) throw new Error(`up ended with ${code}: ${output()}`);
  });
  try {
    await Promise.race([early, eventually(() => assertFile(readyFile), READY_WITHIN_MS)]);
  } catch (error) {
    up.kill('SIGKILL');
    throw error;
  } finally {
    end.abort();
  }
  const facts = JSON.parse(readFileSync(readyFile, 'utf8')) as Facts & { readonly pid: number };
  async function stop(): Promise<void> {
    up.kill('SIGTERM');
    await ended;
  }
  return { facts, up, output, ended, stop, pids: () => ({ up: facts.pid, ...childrenOf(facts.pid) }) };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  return () => text;
}

function assertFile(path: string): void {
  if (!existsSync(path)) throw new Error(`${path} isn't there`);
}

/** The programs that a process of ours may run. */
export const MAINS = new Set([MAIN]);

/** Role → process id of the children that are alive. */
export function childrenOf(pid: number): { control?: number; edge?: number } {
  const list = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') : '';
  const children: { control?: number; edge?: number } = {};
  for (const child of list
    .split(' ')
    .filter((word) => word !== '')
    .map(Number)) {
    const role = roleOf(child);
    if (role !== undefined) children[role] = child;
  }
  return children;
}

function roleOf(pid: number): 'control' | 'edge' | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const role = words[words.findIndex((word) => MAINS.has(word)) + 1];
    return role === 'control' || role === 'edge' ? role : undefined;
  } catch {
    return undefined;
  }
}
