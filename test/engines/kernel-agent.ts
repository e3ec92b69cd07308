/**
 * The kernel engine in a process of its own that may be killed. Its listeners come in argv as JSON, and what is to differ
 * in its settings. Prints `up` once they are, and for each line on stdin a line of JSON: KernelStatus; a line that is a
 * listener in JSON is applied first, and of `remove ID` the rule removed. The line `stop` ends it.
 */
import { createInterface } from 'node:readline';
import type { ConnectionRecord, RuleCounters } from '../../src/domain/fact/fact.ts';
import type { Listener } from '../../src/engines/engine.ts';
import type { KernelSetting } from '../../src/engines/kernel/setting.ts';
import { createKernelEngine } from '../../src/engines/kernel/engine.ts';

/** The records of one rule, added up. */
interface Recorded {
  /** By end cause. */
  readonly ends: Record<string, number>;
  bytesIn: number;
  bytesOut: number;
}

export interface KernelStatus {
  readonly records: Readonly<Record<string, Recorded>>;
  readonly logs: readonly string[];
  readonly counters: Readonly<Record<string, RuleCounters>>;
}

const records: Record<string, Recorded> = {};
const logs: string[] = [];
const events = {
  record({ rule, end, bytesIn, bytesOut }: ConnectionRecord): void {
    const sum = (records[rule] ??= { ends: {}, bytesIn: 0, bytesOut: 0 });
    if (end) sum.ends[end] = (sum.ends[end] ?? 0) + 1;
    sum.bytesIn += bytesIn;
    sum.bytesOut += bytesOut;
  },
  listener() {},
  outcomes() {},
  log: (_level: string, message: string) => void logs.push(message),
};
const setting = JSON.parse(process.argv[3] ?? '{}') as Partial<KernelSetting>;
const engine = await createKernelEngine(events, { use: 'by name', onStop: 'keep', owner: 'test', ...setting });
const listeners = JSON.parse(process.argv[2] ?? '[]') as Listener[];
await engine.prune(new Set(listeners.map(({ id }) => id)));
for (const listener of listeners) {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(applied.reason);
}
process.stdout.write('up\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stop') break;
  if (line.startsWith('remove ')) await engine.remove(line.slice('remove '.length));
  if (line.startsWith('{')) await engine.apply(JSON.parse(line) as Listener);
  const counters = Object.fromEntries(await engine.counters());
  process.stdout.write(`${JSON.stringify({ records, logs, counters } satisfies KernelStatus)}\n`);
}
await engine.stop(0);
process.exit(0);
