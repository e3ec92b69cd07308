/**
 * `npm run storm`: 1,000 TCP connections and 500 UDP sessions talk, numbered, while other rules of the same engine are
 * made, changed in every way and removed, without a pause, for twenty minutes. At the end none of them was closed, moved
 * or lost an answer, descriptors are where they began, and memory grows no more in the last quarter. Needs a machine that has
 * the time: a starved one loses datagrams in the system's buffers, which nobody can tell from ours.
 *
 *   uring-storm.ts [seconds=1200] [engine=uring|node|kernel]     kernel: as root, in namespaces of its own
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine, Listener } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { hostEngine } from '../../src/engines/hosting/worker-engine.ts';
import { EDGE_NAMESPACE } from '../engines/kernel-in-edge.ts';
import { enter, makeNamespaces } from '../engines/kernel-namespaces.ts';
import { anAddress, anEntry, freePort, settle } from '../suites/engine/fixture.ts';
import { listener, target } from '../suites/engine/listener.ts';
import type { Plan, Tally } from './storm-talkers.ts';

const given = new Map(
  process.argv
    .slice(2)
    .map((word) => (word.includes('=') ? word : `seconds=${word}`).split('=', 2) as [string, string]),
);
const seconds = Number(given.get('seconds') ?? 1200);
const CONNECTIONS = 1000;
const SESSIONS = 500;
const LANES = 4;
/** limit: a hundred changes a second; more is a measurement of the churn. */
const LANE_PAUSE_MS = 40;
/** Flows first talk undisturbed for so long: that is what the storm is compared with. */
const CALM_S = Math.max(5, Math.min(30, seconds / 10));

/** limit: what the collector and malloc keep for next time grows for a few minutes; what grows after that is a leak. */
const SETTLED_S = 600;

const logs: string[] = [];
const events = {
  record() {},
  listener() {},
  outcomes() {},
  log: (level: string, message: string) => void (level !== 'info' && logs.push(message)),
};
const make = {
  uring: () => createUringEngineWith({ workers: 2 }, events),
  node: () => createNodeEngine(events),
  kernel() {
    const module = new URL('../engines/kernel-in-edge.ts', import.meta.url).href;
    const options = { use: 'by name', onStop: 'flush', owner: 'storm' };
    return hostEngine('kernel', { module, factory: 'createInEdge', options }, events);
  },
};
const kind = (given.get('engine') ?? 'uring') as keyof typeof make;
using stage = kind === 'kernel' ? makeNamespaces() : undefined;
if (stage) {
  enter(stage.out);
  process.env[EDGE_NAMESPACE] = stage.edge;
  settle(stage);
}
const engine: Engine = await make[kind]();
const origins = Array.from({ length: 4 }, () => anAddress());
const entries = Array.from({ length: 4 }, () => anEntry());
const ports = { tcp: await freePort(entries[0]), udp: await freePort(entries[1]) };
const plan: Plan = {
  origins,
  tcp: Array.from({ length: CONNECTIONS }, (_, i) => ({ address: entries[i % 4] ?? '', port: ports.tcp })),
  udp: Array.from({ length: SESSIONS }, (_, i) => ({ address: entries[i % 4] ?? '', port: ports.udp })),
};
const child = spawn(process.execPath, [join(import.meta.dirname, 'storm-talkers.ts'), JSON.stringify(plan)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
try {
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const originPort = Number(String((await said.next()).value).split(' ')[1]);
  const steady = { entries, targets: origins.map((address) => target(address)), originPorts: span(originPort) };
  for (const [id, protocol] of [
    ['tcp', 'TCP'],
    ['udp', 'UDP'],
  ] as const)
    assert.deepEqual(await engine.apply(listener({ ...steady, id, protocol, ports: [span(ports[id])] })), { ok: true });
  child.stdin.write('go\n');

  const calm = await hear(said, CALM_S);
  process.stdout.write(`calm: ${JSON.stringify(calm.last)}\n`);
  const before = state();
  /** The least memory in the third and in the last quarter: what collectors have not got to yet comes and goes, a leak stays. */
  const floors: [third: number, last: number] = [Infinity, Infinity];
  let isOver = false;
  let changes = 0;
  const lanes = Array.from({ length: LANES }, async () => {
    while (!isOver) changes += await oneOther(originPort);
  });
  const storm = await hear(said, seconds, (tally, second) => {
    const quarter = Math.floor((4 * second) / seconds);
    if (quarter === 2) floors[0] = Math.min(floors[0], state().memory);
    else if (quarter >= 3) floors[1] = Math.min(floors[1], state().memory);
    if (second % 30 === 0)
      process.stdout.write(`${second} s, ${changes} changes: ${JSON.stringify({ ...tally, ...state() })}\n`);
  });
  isOver = true;
  await Promise.all(lanes);
  const after = state();
  const { answered, closed, moved, lost } = storm.last;
  process.stdout.write(
    `${changes} changes, ${answered} answers; p99 ${calm.p99} ms calm, ${storm.p99} ms in the storm\n`,
  );
  assert.deepEqual({ closed, moved, lost }, { closed: 0, moved: 0, lost: 0 });
  assert.deepEqual((await engine.counters()).get('tcp')?.ends, {});
  assert.deepEqual((await engine.counters()).get('udp')?.ends, {});
  assert.ok(after.descriptors <= before.descriptors + 16, `descriptors: ${before.descriptors} → ${after.descriptors}`);
  if (seconds >= SETTLED_S)
    assert.ok(
      floors[1] <= floors[0] * 1.1,
      `memory, least of the third and of the last quarter: ${floors.join(' → ')} kB`,
    );
  assert.deepEqual(logs, []);
  process.stdout.write('1 passed, 0 failed\n');
} finally {
  child.stdin.write('end\n');
  const gone = once(child, 'exit');
  await Promise.race([gone, sleep(2000)]);
  child.kill('SIGKILL');
  await engine.stop(0);
}

/** What the talkers say for so long: their last word, and the median of their seconds' 99th percentiles. */
async function hear(
  said: AsyncIterator<string>,
  forSeconds: number,
  each: (tally: Tally, second: number) => void = () => {},
): Promise<{ last: Tally; p99: number }> {
  const until = performance.now() + forSeconds * 1000;
  const tallies: Tally[] = [];
  while (performance.now() < until) {
    const line = await said.next();
    assert.ok(!line.done, 'the talkers have ended');
    const tally = JSON.parse(line.value) as Tally;
    tallies.push(tally);
    each(tally, tallies.length);
    assert.ok(tally.closed + tally.moved + tally.lost === 0, JSON.stringify(tally));
  }
  const last = tallies.at(-1);
  assert.ok(last);
  return { last, p99: tallies.map(({ p99 }) => p99).toSorted((a, b) => a - b)[tallies.length >> 1] ?? 0 };
}

/** A rule's whole life: made, given another origin, a range, another mode, the other protocol, taken away. */
async function oneOther(originPort: number): Promise<number> {
  const entry = anEntry();
  const port = await freePort(entry);
  const rule = listener({
    id: `other-${entry}-${port}`,
    entries: [entry],
    ports: [span(port)],
    originPorts: span(originPort),
    targets: [target(origins[0] ?? '')],
  });
  const steps: Listener[] = [
    rule,
    { ...rule, targets: [target(origins[1] ?? '', 3), target(origins[2] ?? '', 1)] },
    { ...rule, ports: [{ from: port, to: Math.min(65_535, port + 40) }] },
    { ...rule, mode: kind === 'kernel' ? 'OFF' : 'PPV2', persistSeconds: 60 },
    { ...rule, protocol: 'UDP' },
  ];
  for (const step of steps) {
    const applied = await engine.apply(step);
    // A port that somebody has taken meanwhile is nobody's fault; anything else is.
    if (!applied.ok) assert.match(applied.reason, /in use by (?:another|this) program/);
    await sleep(LANE_PAUSE_MS);
  }
  await engine.remove(rule.id);
  return steps.length + 1;
}

function span(port: number): { from: number; to: number } {
  return { from: port, to: port };
}

function state(): { descriptors: number; memory: number } {
  const status = readFileSync('/proc/self/status', 'latin1');
  return { descriptors: readdirSync('/proc/self/fd').length, memory: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) };
}
