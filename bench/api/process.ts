/** A server under measurement: a child process of ours, its CPU time and memory read from /proc. Linux only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** The kernel's clock tick for /proc, 10 ms on every Linux that runs Node. */
const TICK_MS = 10;

export interface Server {
  readonly pid: number;
  /** The line that told it was ready. */
  readonly said: string;
  stop(): Promise<void>;
}

/** Starts `file` under this Node and waits for a line that contains `ready`. */
export async function serve(file: string, args: readonly string[], ready: string): Promise<Server> {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, EDGEFOUR_LOG: 'error' },
  });
  const said = await lineWith(child, ready);
  return {
    pid: child.pid!,
    said,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function lineWith(child: ChildProcess, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (part: string): void => {
      text += part;
      const line = text.split('\n').find((line, i, all) => i < all.length - 1 && line.includes(wanted));
      if (line !== undefined) resolve(line);
    };
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', hear);
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it said "${wanted}": ${text}`)));
  });
}

/** User and system time of the process and all its threads so far, milliseconds. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** All pages of the process that are in memory, MB. */
export function residentMb(pid: number): number {
  return rollup(pid, 'Rss');
}

/** The same, each shared page divided by how many processes share it, MB. */
export function proportionalMb(pid: number): number {
  return rollup(pid, 'Pss');
}

function rollup(pid: number, name: string): number {
  const kb = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  return Math.round(Number(kb) / 1_024);
}

/** The process and everything below it. */
export function treeOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [[Number(name), Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]!.split(' ')[1])]];
      } catch {
        return [];
      }
    });
  const below = (of: number): number[] =>
    parents.flatMap(([at, parent]) => (parent === of ? [at!, ...below(at!)] : []));
  return [pid, ...below(pid)];
}
