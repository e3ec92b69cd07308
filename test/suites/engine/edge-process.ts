/**
 * A node engine in a process of its own, for tests that take something from it (descriptors). Its listeners come in
 * argv as JSON. Prints `up` once they are, and for each line on stdin a line of JSON: ends so far, and log messages.
 */
import { createInterface } from 'node:readline';
import type { Listener } from '../../../src/edge/engine.ts';
import { createNodeEngine } from '../../../src/edge/engines/node/engine.ts';

const ends: (string | undefined)[] = [];
const logs: string[] = [];
const engine = await createNodeEngine({
  record: ({ end }) => ends.push(end),
  listener() {},
  log: (_level, message, facts) => logs.push(`${message} ${JSON.stringify(facts)}`),
});
for (const listener of JSON.parse(process.argv[2] ?? '[]') as Listener[]) {
  const applied = await engine.apply(listener);
  if (!applied.ok) throw new Error(applied.reason);
}
process.stdout.write('up\n');
for await (const _line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify({ ends, logs })}\n`);
}
await engine.stop(0);
