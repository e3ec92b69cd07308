/**
 * The kernel engine in a process of its own that may be killed. Its listeners come in argv as JSON. Prints `up` once they
 * are, and for each line on stdin a line of JSON: KernelStatus. The line `stop` ends it.
 */
import { createInterface } from 'node:readline';
import type { ConnectionRecord, RuleCounters } from '../../src/link/facts.ts';
import type { Listener } from '../../src/edge/engine.ts';
import { createKernelEngine } from '../../src/edge/engines/kernel/open.ts';

export interface KernelStatus {
  readonly records: readonly ConnectionRecord[];
  readonly logs: readonly string[];
  readonly counters: Readonly<Record<string, RuleCounters>>;
}

const records: ConnectionRecord[] = [];
const logs: string[] = [];
const events = {
  record: (record: ConnectionRecord) => void records.push(record),
  listener() {},
  log: (_level: string, message: string) => void logs.push(message),
};
const engine = await createKernelEngine(events, { use: 'by name', onStop: 'keep', owner: 'test' });
const listeners = JSON.parse(process.argv[2] ?? '[]') as Listener[];
await engine.prune(new Set(listeners.map(({ id }) => id)));
for (const listener of listeners) {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(applied.reason);
}
process.stdout.write('up\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break;
  const counters = Object.fromEntries(await engine.counters());
  process.stdout.write(`${JSON.stringify({ records, logs, counters } satisfies KernelStatus)}\n`);
}
await engine.stop(0);
process.exit(0);
