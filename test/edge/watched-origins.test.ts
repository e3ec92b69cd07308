/**
 * Origins that are watched by the traffic itself, on a real edge with real engines: an origin that drops packets costs its
 * first clients a wait, and after that one connection per back-off, over a restart too.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineFactory } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { ask, deafOrigin, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { controlEnd } from './control-end.ts';
import { echo, edgeOn, PLACE, proxy, rule } from './edges.ts';
import { hearing } from './said.ts';

const CONNECT_MS = 400;
/** Longer than any answer of an origin that is there. */
const SLOW_MS = 300;
/** The first back-off is 5 s: in this time it ends once. */
const LOOK_MS = 7_000;
const noUring = await whyUnavailable(2);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];

for (const [name, create, absent] of ENGINES)
  describe(`watched origins on the ${name} engine`, { skip: absent ?? false, concurrency: 2 }, () => {
    test('packets dropped: three dials fail, then one connection waits per back-off; a restart keeps that', (t) =>
      dropsPackets(t, name, create));

    test('all origins down: they are used as if all were up, which is said; one that is back is used again', (t) =>
      allDown(t, name, create));

    test('open connections of an origin that takes no new ones end where their rule says so, and else stay', (t) =>
      takesNothingNew(t, name, create));
  });

/** Each client's wait for its answer, one after the other. */
async function waits(entry: string, port: number, forMs: number): Promise<number[]> {
  const all: number[] = [];
  for (const end = performance.now() + forMs; performance.now() < end; await sleep(20)) {
    const began = performance.now();
    assert.equal(await echo(entry, port, 'hello'), 'hello');
    all.push(performance.now() - began);
  }
  return all;
}
const slow = (all: readonly number[]): number => all.filter((ms) => ms >= SLOW_MS).length;

async function dropsPackets(t: TestContext, name: string, create: EngineFactory): Promise<void> {
  await using control = await controlEnd();
  const { log, said } = hearing();
  const tools = { engines: { [name]: create }, log };
  await using edge = await edgeOn(control, undefined, tools);
  const deaf = await deafOrigin(t);
  const good = await tcpOrigin(t, undefined, { port: deaf.port });
  const entry = loopback();
  const port = await freePort(entry);
  const origins = { originValue: [deaf.address, good.address], options: { connectTimeoutMs: CONNECT_MS } };
  const rules = [rule('watched', port, '', deaf.port, origins)];
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));

  const first = await waits(entry, port, LOOK_MS);
  t.diagnostic(`${first.length} connections, ${slow(first)} of them slow`);
  assert.ok(first.length > 100, `${first.length} connections`);
  // Three until it is known, one that is tried; where only a first failure is told at once, one more begins within a batch.
  const most = name === 'node' ? 4 : 5;
  assert.ok(slow(first) >= 4 && slow(first) <= most, `${slow(first)} slow`);
  const about = said.filter(({ facts }) => facts['origin'] === `TCP ${deaf.address}:${deaf.port}`);
  assert.deepEqual(
    about.map(({ level, message, facts }) => [level, message, facts['by'], facts['rules']]),
    [['info', 'an origin is out of use', 'traffic', 1]],
  );

  await edge.stop(0);
  await using again = await edgeOn(control, undefined, tools);
  await again.ready;
  const second = await waits(entry, port, 3_000);
  t.diagnostic(`after a restart ${second.length} connections, ${slow(second)} of them slow`);
  assert.equal(slow(second), 0);
}

async function allDown(t: TestContext, name: string, create: EngineFactory): Promise<void> {
  await using control = await controlEnd();
  const { log, said } = hearing();
  await using edge = await edgeOn(control, undefined, { engines: { [name]: create }, log });
  await edge.ready;
  const entry = loopback();
  const port = await freePort(entry);
  const [one, two] = [loopback(), loopback()];
  const originPort = await freePort(one);
  const rules = [rule('watched', port, '', originPort, { originValue: [one, two] })];
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await eventually(async () => {
    await assert.rejects(echo(entry, port, 'hello'));
    assert.ok(
      said.some(({ level, message }) => level === 'warn' && message.startsWith('all origins of a rule are down')),
    );
  });
  await tcpOrigin(t, undefined, { address: two, port: originPort });
  for (let i = 0; i < 5; i++) assert.equal(await echo(entry, port, 'hello'), 'hello');
  await eventually(async () => {
    assert.equal(await echo(entry, port, 'hello'), 'hello');
    assert.ok(
      said.some(
        ({ message, facts }) => message === 'an origin is used again' && facts['origin'] === `TCP ${two}:${originPort}`,
      ),
    );
  });
}

async function takesNothingNew(t: TestContext, name: string, create: EngineFactory): Promise<void> {
  await using control = await controlEnd();
  await using edge = await edgeOn(control, undefined, { engines: { [name]: create } });
  await edge.ready;
  const going = await tcpOrigin(t);
  const other = await tcpOrigin(t, undefined, { port: going.port });
  const entry = loopback();
  const [keeping, resetting] = [await freePort(entry), await freePort(entry)];
  const to = (id: string, port: number, unhealthy: 'keep' | 'reset') =>
    rule(id, port, '', going.port, { originValue: [going.address, other.address], options: { unhealthy } });
  const rules = [to('keeping', keeping, 'keep'), to('resetting', resetting, 'reset')];
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  const open = async (port: number): Promise<Socket[]> => {
    const clients = [await tcpClient(t, entry, port), await tcpClient(t, entry, port)];
    for (const client of clients) assert.equal(await ask(client, 'hello'), 'hello');
    return clients;
  };
  const [kept, cut] = [await open(keeping), await open(resetting)];
  // It answers those that it has, and refuses others.
  going.server.close();
  for (let i = 0; i < 8; i++) assert.equal(await echo(entry, keeping, 'hello'), 'hello');
  await eventually(() => assert.equal(cut.filter(({ closed }) => closed).length, 1));
  const stays = cut.find(({ closed }) => !closed) ?? assert.fail();
  for (const client of [...kept, stays]) assert.equal(await ask(client, 'still'), 'still');
}
