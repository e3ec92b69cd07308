/**
 * Rules that lead to listeners of their own edge, on a real edge with real engines: whoever pushes into them takes nothing
 * from the other rules, and leaves nothing behind.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import type { EngineFactory } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { openOrigin } from '../world/origin.ts';
import { controlEnd } from './control-end.ts';
import { echo, edgeOn, PLACE, proxy, rule } from './edges.ts';

const PROBES = 200;
/** The edge's own, to control, come and go. */
const LINK_DESCRIPTORS = 4;
const noUring = await whyUnavailable(1);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];
const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

for (const [name, create, absent] of ENGINES)
  describe(
    `loops on the ${name} engine`,
    { skip: absent ?? (process.platform === 'linux' ? false : 'needs /proc') },
    () => {
      for (const protocol of ['TCP', 'UDP'] as const)
        test(`of one, two and three ${protocol} rules: the others answer, and nothing stays`, (t) =>
          loops(t, name, create, protocol));
    },
  );

async function loops(t: TestContext, name: string, create: EngineFactory, protocol: 'TCP' | 'UDP'): Promise<void> {
  await using control = await controlEnd();
  await using origin = await openOrigin();
  await using edge = await edgeOn(control, undefined, { engines: { [name]: create } });
  const entry = loopback();
  const port = Math.min(await freePort(entry), 60_000);
  const leads = (id: string, at: number, to: number) => rule(id, port + at, entry, port + to, { protocol });
  const rules = [
    leads('one', 1, 1),
    leads('two-a', 2, 3),
    leads('two-b', 3, 2),
    leads('three-a', 4, 5),
    leads('three-b', 5, 6),
    leads('three-c', 6, 4),
    rule('fine', port, origin.address, origin.tcpPort),
  ];
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  // The listener that closes a loop comes after the rule that leads there.
  const looped = rules.slice(0, -1).map(({ id }) => id);
  await eventually(() => {
    for (const { why, rule: id } of control.acks.placements(looped)) assert.match(why, /loop: /, id);
  });
  assert.equal(await echo(entry, port, 'warm'), 'warm');
  const before = openDescriptors();
  const push = protocol === 'TCP' ? pushTcp(entry, port) : await pushUdp(entry, port);
  const slowest = await probe(entry, port, push.more);
  t.diagnostic(`${push.count()} pushed; the slowest of ${PROBES} probes took ${slowest} ms`);
  assert.ok(push.count() >= 6 * PROBES);
  push.stop();
  await eventually(
    () => assert.ok(openDescriptors() <= before + LINK_DESCRIPTORS, `${openDescriptors()} of ${before}`),
    15_000,
  );
  // What it has counted is told at its end at the latest.
  await edge.stop(0);
  for (const { id } of rules.slice(0, -1)) {
    const counters = control.counters.ofRule(id)[0]?.counters;
    const told = protocol === 'TCP' ? counters?.ends : counters?.dropped;
    assert.deepEqual(Object.keys(told ?? {}), ['loop'], `${id} ${JSON.stringify(counters)}`);
  }
}

/** Milliseconds that the slowest of the probes took. */
async function probe(entry: string, port: number, meanwhile: () => void): Promise<number> {
  let slowest = 0;
  for (let i = 0; i < PROBES; i++) {
    meanwhile();
    const started = performance.now();
    assert.equal(await echo(entry, port, `${i}`), `${i}`);
    slowest = Math.max(slowest, performance.now() - started);
  }
  // limit: what the promise is; a probe takes 2 ms where nothing starves it.
  assert.ok(slowest < 1_000, `${slowest} ms`);
  return Math.round(slowest);
}

function pushTcp(entry: string, port: number) {
  const open = new Set<Socket>();
  let count = 0;
  const more = (): void => {
    for (let at = 1; at <= 6; at++) {
      count++;
      const socket = connect(port + at, entry, () => socket.write('around and around'));
      open.add(socket);
      socket.on('error', () => {}).on('close', () => open.delete(socket));
    }
  };
  return { more, count: () => count, stop: () => open.forEach((socket) => socket.destroy()) };
}

async function pushUdp(entry: string, port: number) {
  const socket = createSocket('udp4').bind(0, loopback());
  await once(socket, 'listening');
  let count = 0;
  const more = (): void => {
    for (let at = 1; at <= 6; at++) {
      count++;
      socket.send('around and around', port + at, entry);
    }
  };
  return { more, count: () => count, stop: () => socket.close() };
}
