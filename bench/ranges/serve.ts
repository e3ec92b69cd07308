/**
 * One candidate: an engine with a rule that covers a range in one of the ways that are compared, without control, plan or
 * link. Says in one line of JSON what that took, and runs until it is told to stop.
 *
 *   serve.ts WAY ENTRY ORIGIN PORTS     WAY: one, sockets, redirect, lookup
 */
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import type { Listener } from '../../src/engines/engine.ts';
import { ALONE, FIRST, run } from './place.ts';

const [way = '', entry = '', origin = '', count = '1'] = process.argv.slice(2);
const ports = { from: FIRST, to: FIRST + Number(count) - 1 };

const engine = await createUringEngineWith(
  { workers: 1, steering: way === 'lookup' },
  { record() {}, listener() {}, log: (level, message) => process.stderr.write(`${level} ${message}\n`) },
);
// The first rule pays for the worker.
await apply('first', { from: ALONE - 1, to: ALONE - 1 });
await sleep(500);
const before = facts();
const began = performance.now();
const cpu = process.cpuUsage();
switch (way) {
  case 'one':
    await apply('range', { from: FIRST, to: FIRST });
    break;
  case 'sockets':
    await apply('range', ports);
    break;
  case 'redirect':
    await apply('range', { from: ALONE, to: ALONE });
    run(
      ['nft', '-f', '-'],
      `table ip ranges { chain in { type nat hook prerouting priority dstnat;
         ip daddr ${entry} tcp dport ${ports.from}-${ports.to} redirect to :${ALONE}; }; }\n`,
    );
    break;
  case 'lookup':
    await apply('range', ports);
    break;
  default:
    throw new Error(`no way ${way}`);
}
const millis = performance.now() - began;
const { user, system } = process.cpuUsage(cpu);
await sleep(500);
const after = facts();
process.stdout.write(
  `${JSON.stringify({
    millis: round(millis),
    cpuMillis: round((user + system) / 1000),
    descriptors: after.descriptors - before.descriptors,
    processBytesPerPort: round((after.process - before.process) / Number(count)),
    kernelBytesPerPort: round((after.kernel - before.kernel) / Number(count)),
  })}\n`,
);
process.once('SIGTERM', () => process.exit(0));
setInterval(() => {}, 60_000);

async function apply(id: string, span: Listener['ports'][number]): Promise<void> {
  const applied = await engine.apply({
    id,
    proxy: 'bench',
    protocol: 'TCP',
    entries: [entry],
    ports: [span],
    originPorts: { from: 9000, to: 9000 },
    targets: [{ address: origin, weight: 1, tier: 0 }],
    mode: 'OFF',
    persistSeconds: 0,
    options: { connectTimeoutMs: 5000, idleSeconds: 300, drain: { how: 'drain', seconds: 30 }, recordOneIn: 0 },
  });
  if (!applied.ok) throw new Error(applied.reason);
}

/** Kernel memory is the machine's: true as far as nobody else opens thousands of sockets meanwhile. */
function facts(): { descriptors: number; process: number; kernel: number } {
  const kib = (path: string, name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync(path, 'latin1'))?.[1]);
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    process: kib('/proc/self/status', 'RssAnon'),
    kernel: kib('/proc/meminfo', 'Slab'),
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
