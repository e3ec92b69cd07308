import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, freePort, loopback } from '../../../test/suites/engine/fixture.ts';
import { entryOf, leadsTo, listener } from '../../../test/suites/engine/listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from '../../../test/suites/engine/tcp-peers.ts';
import { engineSuite } from '../../../test/suites/engine-suite.ts';
import type { EngineEvents } from '../engine.ts';
import { hostEngine } from './worker-engine.ts';

const NODE = { module: new URL('../node/engine.ts', import.meta.url).href, factory: 'createNodeEngine' };

engineSuite('node engine on a thread', { create: (events) => hostEngine('node', NODE, events) }, ['isolation']);

const module = new URL('../../../test/suites/engine/mortal-engine.ts', import.meta.url).href;

test('a thread that dies is started again with its listeners; the rule that killed it is left out', async (t) => {
  const told: string[] = [];
  const events: EngineEvents = {
    record() {},
    outcomes() {},
    listener: (id, { ok }) => told.push(`${id} ${ok ? 'up' : 'down'}`),
    log: (level) => told.push(level),
  };
  const engine = await hostEngine('node', { module, factory: 'createMortalEngine' }, events);
  t.after(() => engine.stop(0));
  const origin = await tcpOrigin(t);
  const address = loopback();
  const port = await freePort(address);
  const rule = listener({ id: 'rule', entries: [address], ports: [{ from: port, to: port }], ...leadsTo(origin) });
  assert.deepEqual(await engine.apply(rule), { ok: true });
  const client = await tcpClient(t, ...entryOf(rule));
  assert.equal(await ask(client, 'before'), 'before');
  assert.equal((await engine.counters()).get('rule')?.connections, 1);
  const lost = readAll(client);

  const poison = await engine.apply({ ...rule, id: 'poison' });
  assert.ok(!poison.ok && poison.reason.includes('left out'));
  await lost;
  // It died twice: with the rule on its way, and again with the rule alone.
  const lastWords = ['error', 'rule down', 'rule up'];
  await eventually(() => assert.deepEqual(told.filter((word) => word !== 'poison down').slice(-3), lastWords));
  assert.equal(told.filter((word) => word === 'error').length, 2);
  assert.equal(await ask(await tcpClient(t, ...entryOf(rule)), 'after'), 'after');
  // Counters go on from where they were; connections of the dead thread are not active.
  const { connections, active } = (await engine.counters()).get('rule') ?? {};
  assert.deepEqual([connections, active], [2, 1]);
});

test('a thread that cannot start says so', async () => {
  const events: EngineEvents = { record() {}, listener() {}, outcomes() {}, log() {} };
  await assert.rejects(hostEngine('node', { module, factory: 'createNothing' }, events), /has no createNothing/);
});

test('stopping twice, and asking afterwards, has answers', async () => {
  const engine = await hostEngine('node', NODE, { record() {}, listener() {}, outcomes() {}, log() {} });
  await Promise.all([engine.stop(0), engine.stop(0)]);
  await engine.remove('x');
  await engine.prune(new Set());
  assert.deepEqual(
    [await engine.apply(listener({})), await engine.counters()],
    [{ ok: false, reason: 'the engine is stopped' }, new Map()],
  );
});
