/** Origins that are checked, on a real edge in this process; with all engines and lost packets in checked-origins.root.ts. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineFactory } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { DEATHS, dies, TIMES } from './checked-origins.ts';
import { controlEnd } from './control-end.ts';
import { echo, edgeOn, PLACE, proxy, rule } from './edges.ts';
import { hearing } from './said.ts';

const noUring = await whyUnavailable(2);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];
/** Longer than two probes of a check of a second; longer than one that is under way, and a change on its way to the edge. */
const PROBES_MS = 2_500;
const SETTLED_MS = 1_000;

for (const [name, create, absent] of ENGINES)
  describe(`checked origins on the ${name} engine`, { skip: absent ?? false }, () => {
    test('an origin that dies is out of use in time, found by its check alone', async (t) => {
      await using control = await controlEnd();
      const { log, said } = hearing();
      await using edge = await edgeOn(control, undefined, { engines: { [name]: create }, log });
      await edge.ready;
      await dies(t, DEATHS, { control, said, address: loopback, entry: loopback() });
    });
  });

interface Checked {
  readonly address: string;
  readonly port: number;
  /** So many probes so far. */
  probes(): number;
  close(): void;
}

/** Where checks are made, apart from where clients go. */
async function checkedPlace(t: TestContext, at: { address?: string; port?: number } = {}): Promise<Checked> {
  const { address, port, connections, server } = await tcpOrigin(t, (socket) => socket.end(), at);
  return { address, port, probes: () => connections.length, close: () => server.close() };
}

const CHECKER = { type: 'TCP', ...TIMES, interval: 1 } as const;

test('balancers and groups with a checker are checked though no rule leads there; once they are gone, they are not', async (t) => {
  await using control = await controlEnd();
  await using edge = await edgeOn(control);
  await edge.ready;
  const [one, two] = [await checkedPlace(t), await checkedPlace(t)];
  const group = (id: string, { address }: Checked, more: object = {}) => {
    const records = [{ id: 'record-1', host: address, type: 'IP_DOMAIN' }];
    return { [`origin-group/zone-a/${id}`]: { id, zone: 'zone-a', type: 'GENERAL', records, ...more } };
  };
  const checker = { ...CHECKER, port: one.port };
  const groups = [{ priority: 1, group: 'og-1' }];
  await control.put({
    ...PLACE,
    ...group('og-1', one),
    ...group('og-2', two, { checker: { ...CHECKER, port: two.port } }),
    'load-balancer/zone-a/lb-1': { id: 'lb-1', zone: 'zone-a', groups, checker },
  });
  await eventually(() => assert.deepEqual([one.probes() > 1, two.probes() > 1], [true, true]));
  const gone = ['load-balancer/zone-a/lb-1', 'origin-group/zone-a/og-2'];
  await control.put(Object.fromEntries(gone.map((key) => [key, undefined])));
  await sleep(SETTLED_MS);
  const before = [one.probes(), two.probes()];
  await sleep(PROBES_MS);
  assert.deepEqual([one.probes(), two.probes()], before);
});

/** Two origins for clients, each checked at another place of its address; the first one's check can be made to fail. */
async function twoOrigins(t: TestContext) {
  const good = await tcpOrigin(t);
  const bad = await tcpOrigin(t, undefined, { port: good.port });
  const places = [await checkedPlace(t, { address: bad.address })];
  places.push(await checkedPlace(t, { address: good.address, port: places[0]!.port }));
  const [ofBad, ofGood] = places as [Checked, Checked];
  const entry = loopback();
  const port = await freePort(entry);
  const records = (more: object = {}) => {
    const checker = { ...CHECKER, port: ofBad.port, ...more };
    const to = { originValue: [bad.address, good.address], checker };
    return { ...PLACE, 'proxy/zone-a/a': proxy('a', entry, [rule('checked', port, '', good.port, to)]) };
  };
  return { bad, good, ofBad, ofGood, records, client: () => echo(entry, port, 'hello') };
}

test('control gone and the edge started twice meanwhile: states are kept, checks go on, a dead origin gets nothing', async (t) => {
  await using control = await controlEnd();
  const { log, said } = hearing();
  const first = await edgeOn(control, undefined, { log });
  t.after(() => first.stop(0));
  const { bad, ofBad, ofGood, records, client } = await twoOrigins(t);
  await control.put(records());
  await eventually(async () => assert.equal(await client(), 'hello'));
  ofBad.close();
  await eventually(() => assert.ok(said.some(({ message }) => message === 'an origin is out of use')), 30_000);
  const taken = bad.connections.length;
  await control.down();
  await first.stop(0);
  for (let i = 0; i < 2; i++) {
    const probes = ofGood.probes();
    await using edge = await edgeOn(control);
    await edge.ready;
    for (let clients = 0; clients < 10; clients++) assert.equal(await client(), 'hello');
    await eventually(() => assert.ok(ofGood.probes() > probes + 1), 30_000);
    for (let clients = 0; clients < 10; clients++) assert.equal(await client(), 'hello');
  }
  t.diagnostic(`${bad.connections.length - taken} connections to the dead origin`);
  assert.ok(bad.connections.length - taken <= 1);
});

test('another checker leaves the state as it is until its first result', async (t) => {
  await using control = await controlEnd();
  const { log, said } = hearing();
  await using edge = await edgeOn(control, undefined, { log });
  await edge.ready;
  const { bad, good, ofBad, records, client } = await twoOrigins(t);
  await control.put(records());
  await eventually(async () => assert.equal(await client(), 'hello'));
  ofBad.close();
  const times = (wanted: string): number => said.filter(({ message }) => message === wanted).length;
  await eventually(() => assert.equal(times('an origin is out of use'), 1), 30_000);
  const taken = bad.connections.length;
  // It takes the connection and says nothing, so that the first result of the new check comes late.
  const silent = await tcpOrigin(t, () => {}, { address: bad.address });
  await tcpOrigin(t, (socket) => socket.end('OK'), { address: good.address, port: silent.port });
  const revision = await control.put(records({ port: silent.port, expect: 'OK', interval: 30, timeout: 3 }));
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await eventually(() => assert.ok(silent.connections.length > 0));
  for (let i = 0; i < 10; i++) assert.equal(await client(), 'hello');
  assert.deepEqual([bad.connections.length - taken, times('an origin is used again')], [0, 0]);
  for (const socket of silent.connections) socket.end('OK');
  await eventually(() => assert.equal(times('an origin is used again'), 1), 30_000);
  for (let i = 0; i < 4; i++) assert.equal(await client(), 'hello');
  assert.ok(bad.connections.length > taken);
});
