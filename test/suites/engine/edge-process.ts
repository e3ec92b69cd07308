/**
 * A node engine in a process of its own, for tests that take something from it (descriptors). Its listeners come in
 * argv as JSON. Prints `up` once they are, and for each line on stdin a line of JSON: see EdgeStatus.
 * The line `settle` collects garbage first.
 */
import { createInterface } from 'node:readline';
import type { Listener } from '../../../src/edge/engine.ts';
import { openDescriptors } from '../../../src/edge/engines/node/descriptors.ts';
import { createNodeEngine } from '../../../src/edge/engines/node/engine.ts';

export interface EdgeStatus {
  /** How connections ended so far. */
  readonly ends: readonly (string | undefined)[];
  readonly logs: readonly string[];
  /** Resident memory, bytes. */
  readonly memory: number;
  /** What is alive on V8's heap and behind it, bytes. */
  readonly heap: number;
  readonly descriptors: number | undefined;
  /** CPU time so far, microseconds. */
  readonly cpu: number;
}

/** The last thousand or two: more would be memory that grows. */
let ends: (string | undefined)[] = [];
const logs: string[] = [];
const engine = await createNodeEngine({
  record({ end }) {
    if (ends.push(end) >= 2000) ends = ends.slice(-1000);
  },
  listener() {},
  log: (_level, message, facts) => logs.push(`${message} ${JSON.stringify(facts)}`),
});
for (const listener of JSON.parse(process.argv[2] ?? '[]') as Listener[]) {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(applied.reason);
}
process.stdout.write('up\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  if (line === 'settle') globalThis.gc?.();
  const { rss: memory, heapUsed, external } = process.memoryUsage();
  const heap = heapUsed + external;
  const status: EdgeStatus = { ends, logs, memory, heap, descriptors: openDescriptors(), cpu: user + system };
  process.stdout.write(`${JSON.stringify(status)}\n`);
}
await engine.stop(0);
