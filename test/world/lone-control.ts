/**
 * A control without an edge, in a process of its own: what is measured under attack. `await using c = await loneControl()`
 * leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { apiClient, type Client } from '../../src/cli/client/api-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { MAIN } from './command.ts';
import type { Facts } from './places.ts';

export interface LoneControl extends AsyncDisposable, Facts {
  readonly pid: number;
  readonly client: Client;
  /** Whether its process still runs. */
  isAlive(): boolean;
  /** Bytes in memory now. */
  rss(): number;
  /** Milliseconds of CPU that all its threads have used. */
  cpuMs(): number;
  /** The value of a series of /metrics; 0 where it is not there. */
  metric(series: string): Promise<number>;
}

interface LoneOptions {
  readonly settings?: readonly string[];
  /** A cgroup.procs that the process is written into before it is control. */
  readonly cgroup?: string;
}

const READY_WITHIN_MS = 60_000;

export async function loneControl({ settings = [], cgroup }: LoneOptions = {}): Promise<LoneControl> {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-lone-'));
  const readyFile = join(folder, 'ready.json');
  const places = ['--data', join(folder, 'data'), '--listen', '127.0.0.1:0', '--dns', 'off', '--rate', '0'];
  const command = [process.execPath, MAIN, 'control', ...places, '--ready-file', readyFile, ...settings];
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const options = {
    env: { PATH, HOME, NODE_COMPILE_CACHE, CGROUP: cgroup },
    stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'],
  };
  const child: ChildProcess =
    cgroup === undefined
      ? spawn(command[0] ?? '', command.slice(1), options)
      : spawn('sh', ['-c', 'echo $$ >"$CGROUP" && exec "$@"', 'sh', ...command], options);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-4_000)));
  const ended = once(child, 'close');
  let running = true;
  void ended.then(() => (running = false));
  await eventually(() => {
    if (!running) throw new Error(`control ended: ${said}`);
    if (!existsSync(readyFile)) throw new Error(`control is not ready: ${said}`);
  }, READY_WITHIN_MS);
  const facts = JSON.parse(readFileSync(readyFile, 'utf8')) as Facts;
  const pid = child.pid ?? 0;
  return {
    ...facts,
    pid,
    client: apiClient(facts.api, facts, () => systemClock.now()),
    isAlive: () => running,
    rss: () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    cpuMs: () => cpuMs(pid),
    async metric(series) {
      const text = await (await fetch(`${facts.api}/metrics`)).text();
      const line = text.split('\n').find((line) => line.startsWith(`${series} `));
      return Number(line?.slice(series.length + 1) ?? 0);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      const slow = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(slow);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Nanosecond accounts of the scheduler, all threads together; threads that end take theirs with them. */
function cpuMs(pid: number): number {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // It has ended in between.
    }
  }
  return sum / 1e6;
}
