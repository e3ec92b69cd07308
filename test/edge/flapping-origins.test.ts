/**
 * An origin that comes and goes once a second, for real: few of its changes reach the engines, and clients go on at the other
 * one. Fifteen seconds of it here; `FLAP_SECONDS=60` for the minute that is promised.
 */
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EngineFactory, TargetState } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort, loopback, PATIENCE_MS } from '../suites/engine/fixture.ts';
import { controlEnd } from './control-end.ts';
import { edgeOn, PLACE, proxy, rule } from './edges.ts';
import { mortalOrigin, who } from './mortal-origins.ts';

const SECONDS = Number(env['FLAP_SECONDS'] ?? 15);
const PROMISED = 12;
const CHECK = { type: 'TCP', interval: 1, timeout: 1, healthThreshold: 1, criticalThreshold: 2 };
const noUring = await whyUnavailable(2);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];

describe('an origin that comes and goes each second', { concurrency: 2 }, () => {
  for (const [name, create, absent] of ENGINES)
    test(`${name} engine: at most ${PROMISED} changes in a minute`, { skip: absent ?? false }, (t) =>
      flaps(t, name, create),
    );
});

async function flaps(t: TestContext, name: string, create: EngineFactory): Promise<void> {
  const told: TargetState[] = [];
  const watched: EngineFactory = async (events, inheritance) => {
    const engine = await create(events, inheritance);
    const states = engine.states.bind(engine);
    const hear = (changes: readonly TargetState[]): Promise<void> => {
      told.push(...changes);
      return states(changes);
    };
    return Object.assign(engine, { states: hear });
  };
  await using control = await controlEnd();
  await using edge = await edgeOn(control, undefined, { engines: { [name]: watched } });
  await edge.ready;
  const good = await mortalOrigin(t, loopback());
  const address = loopback();
  const entry = loopback();
  const port = await freePort(entry);
  const more = { originValue: [address, good.address], checker: { ...CHECK, port: good.port } };
  const records = [rule('rule-1', port, '', good.port, more)];
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, records) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));

  const end = performance.now() + SECONDS * 1_000;
  let lost = 0;
  let served = 0;
  const clients = (async () => {
    for (; performance.now() < end; await sleep(20)) {
      served++;
      if ((await who(entry, port, PATIENCE_MS)) === '') lost++;
    }
  })();
  while (performance.now() < end) {
    const flapping = await mortalOrigin(t, address, good.port);
    await sleep(1_000);
    await flapping.become('closed');
    await sleep(1_000);
  }
  await clients;
  t.diagnostic(`${told.map(({ state }) => state).join(', ')}; ${served} clients, ${lost} cut with their origin`);
  assert.ok(told.length > 0 && told.length <= PROMISED, `${told.length} changes`);
  // Those that the origin had when it went; a connection that it refused is made at the other one.
  assert.ok(lost <= SECONDS / 2 + 1, `${lost} of ${served} lost`);
}
