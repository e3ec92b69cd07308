/**
 * An engine in a process of its own, for tests that measure it or take something from it (descriptors). Its name and its
 * listeners come in argv, the latter as JSON. Prints `up` once they are, and for each line on stdin a line of JSON: see
 * EdgeStatus. The line `settle` collects garbage first.
 */
import { createInterface } from 'node:readline';
import type { EngineFactory, Listener } from '../../../src/engines/engine.ts';
import { openDescriptors } from '../../../src/linux/descriptors.ts';
import { createNodeEngine } from '../../../src/engines/node/engine.ts';
import { createUringEngine } from '../../../src/engines/uring/engine.ts';
import type { RuleCounters } from '../../../src/domain/fact/fact.ts';

export interface EdgeStatus {
  /** How connections ended so far. */
  readonly ends: readonly (string | undefined)[];
  /** By rule. */
  readonly counters: Readonly<Record<string, RuleCounters>>;
  readonly logs: readonly string[];
  /** Resident memory, bytes. */
  readonly memory: number;
  /** The most that it ever was, bytes. */
  readonly peak: number;
  /** What is alive on V8's heap and behind it, bytes. */
  readonly heap: number;
  readonly descriptors: number | undefined;
  /** CPU time so far, microseconds. */
  readonly cpu: number;
}

const ENGINES: Readonly<Record<string, EngineFactory>> = { node: createNodeEngine, uring: createUringEngine };

/** The last thousand or two: more would be memory that grows. */
let ends: (string | undefined)[] = [];
const logs: string[] = [];
const [, , name = '', listeners = '[]'] = process.argv;
const engine = await ENGINES[name]!({
  record({ end }) {
    if (ends.push(end) >= 2000) ends = ends.slice(-1000);
  },
  listener() {},
  outcomes() {},
  log: (_level, message, facts) => logs.push(`${message} ${JSON.stringify(facts)}`),
});
for (const listener of JSON.parse(listeners) as Listener[]) {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(applied.reason);
}
process.stdout.write('up\n');
for await (const line of createInterface({ input: process.stdin })) {
  const counters = Object.fromEntries(await engine.counters());
  const { user, system } = process.cpuUsage();
  if (line === 'settle') globalThis.gc?.();
  const { rss: memory, heapUsed, external } = process.memoryUsage();
  const heap = heapUsed + external;
  const cpu = user + system;
  const peak = process.resourceUsage().maxRSS * 1024;
  const status: EdgeStatus = { ends, counters, logs, memory, peak, heap, descriptors: openDescriptors(), cpu };
  process.stdout.write(`${JSON.stringify(status)}\n`);
}
await engine.stop(0);
