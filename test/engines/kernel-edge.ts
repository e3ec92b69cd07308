/**
 * A whole edge with the kernel engine in a process of its own, for tests that kill it: argv are its data folder and the
 * link's socket. Prints `ready` and how many milliseconds it took, once what its disk, or else control, had to say is
 * applied. A line on stdin stops it and starts it again, the end of stdin stops it.
 */
import { createInterface } from 'node:readline';
import { startEdge } from '../../src/edge/agent.ts';
import type { Edge } from '../../src/edge/edge.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/observe/log.ts';

const [, , dataDir = '', join = ''] = process.argv;
const place = { dataDir, join, edgeId: 'e1', site: 'local', version: 'test' };

async function start(): Promise<Edge> {
  const since = performance.now();
  const edge = await startEdge({ ...place, engine: 'kernel' }, { log: silentLog, clock: systemClock });
  await edge.ready;
  process.stdout.write(`ready ${Math.round(performance.now() - since)}\n`);
  return edge;
}

let edge = await start();
for await (const _line of createInterface({ input: process.stdin })) {
  await edge.stop(0);
  edge = await start();
}
await edge.stop(0);
process.exit(0);
