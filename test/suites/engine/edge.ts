/** An engine in a process of its own (edge-process.ts), where a test measures or limits it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Listener } from '../../../src/engines/engine.ts';
import type { EdgeStatus } from './edge-process.ts';
import { freePort, loopback } from './fixture.ts';
import { listener } from './listener.ts';

const MAIN = fileURLToPath(new URL('edge-process.ts', import.meta.url));

/** `settle`: collects garbage first. */
type AskStatus = (how?: 'settle') => Promise<EdgeStatus>;

export interface EdgeShape {
  /** Default: node. */
  readonly engine?: 'node' | 'uring';
  /** How many it may have. */
  readonly descriptors?: number;
  /** The most that V8 may keep on a thread's heap, MiB; beyond it the process dies. */
  readonly heap?: number;
}

/** Resolves once the rules are up. */
export async function edgeProcess(
  t: TestContext,
  rules: readonly Listener[],
  { engine = 'node', descriptors, heap }: EdgeShape = {},
): Promise<AskStatus> {
  const limit = descriptors === undefined ? '' : `ulimit -n ${descriptors} && `;
  const flags = ['--expose-gc', ...(heap === undefined ? [] : [`--max-old-space-size=${heap}`])];
  const args = ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...flags, MAIN, engine, JSON.stringify(rules)];
  const child = spawn('/bin/sh', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'up');
  return async (how) => {
    child.stdin.write(`${how ?? ''}\n`);
    return JSON.parse(String((await lines.next()).value)) as EdgeStatus;
  };
}

export async function freeRule(change: Partial<Listener>): Promise<Listener> {
  const entry = loopback();
  const port = await freePort(entry);
  return listener({ entries: [entry], ports: [{ from: port, to: port }], ...change });
}
