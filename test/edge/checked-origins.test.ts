/**
 * Origins that are checked, on a real edge with real engines, and with passive signals off: whatever way an origin dies in
 * that its check can see, it is out of use in time, and clients go on at the other one.
 */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { HealthChecker } from '../../src/domain/load-balancer/health-checker.ts';
import type { EngineFactory } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { controlEnd } from './control-end.ts';
import { edgeOn, PLACE, proxy, rule } from './edges.ts';
import { type Condition, mortalOrigin, who } from './mortal-origins.ts';
import { hearing } from './said.ts';

const noUring = await whyUnavailable(2);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];

const TIMES = { interval: 2, timeout: 1, healthThreshold: 2, criticalThreshold: 2 };
/** interval + (fall − 1) × fast interval + time-out + 0.5 s */
const PROMISED_MS = 2_000 + 1_000 + 1_000 + 500;
/** Other work on this machine makes it late. */
const SLACK = 3;

const PING = { send: 'PING', expect: '+PONG' };
const UDP = { type: 'UDP', sendContext: 'PING', recvContext: '+PONG' } as const;
const HTTP = { type: 'HTTP', path: 'a.example/', method: 'GET', expectedCodes: ['200'] } as const;
interface Death {
  readonly name: string;
  readonly condition: Condition;
  readonly check: Omit<HealthChecker, 'port'>;
  readonly isUnseen?: true;
}
const DEATHS: readonly Death[] = [
  { name: 'port closed', condition: 'closed', check: { type: 'TCP' } },
  { name: 'HTTP 503', condition: 'ill', check: HTTP },
  { name: 'wrong answer over TCP', condition: 'ill', check: { type: 'TCP', ...PING } },
  { name: 'wrong answer over UDP', condition: 'ill', check: UDP },
  { name: 'stopped, seen by an expected answer over TCP', condition: 'stopped', check: { type: 'TCP', ...PING } },
  { name: 'stopped, seen by HTTP', condition: 'stopped', check: HTTP },
  { name: 'stopped, seen by UDP', condition: 'stopped', check: UDP },
  { name: 'stopped, not seen by a bare connection', condition: 'stopped', check: { type: 'TCP' }, isUnseen: true },
];

for (const [name, create, absent] of ENGINES)
  describe(`checked origins on the ${name} engine`, { skip: absent ?? false }, () => {
    test('an origin that dies is out of use in time, found by its check alone', (t) => dies(t, name, create));
  });

async function dies(t: TestContext, name: string, create: EngineFactory): Promise<void> {
  await using control = await controlEnd();
  const { log, said } = hearing();
  await using edge = await edgeOn(control, undefined, { engines: { [name]: create }, log });
  await edge.ready;
  const good = await mortalOrigin(t, loopback());
  const entry = loopback();
  // One program for each way to die; its rules differ in how they check it.
  const conditions = [...new Set(DEATHS.map(({ condition }) => condition))];
  const dying = await Promise.all(conditions.map(() => mortalOrigin(t, loopback(), good.port)));
  const served = await Promise.all(
    DEATHS.map(async ({ condition, check }, i) => {
      const origin = dying[conditions.indexOf(condition)]!;
      const port = await freePort(entry);
      const more = {
        originValue: [origin.address, good.address],
        checker: { ...TIMES, port: good.port, ...check },
        options: { passive: 'off', connectTimeoutMs: 500 },
      };
      return { origin, port, record: rule(`rule-${i}`, port, '', good.port, more) };
    }),
  );
  const records = served.map(({ record }) => record);
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, records) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  for (const { origin, port } of served) {
    const both = new Set([await who(entry, port), await who(entry, port)]);
    assert.deepEqual(both, new Set([origin.address, good.address]), 'both are in use');
  }

  const died = performance.now();
  await Promise.all(dying.map((origin, i) => origin.become(conditions[i]!)));
  const outs = () => said.filter(({ message }) => message === 'an origin is out of use');
  const seen = DEATHS.filter(({ isUnseen }) => !isUnseen).length;
  await eventually(() => assert.equal(outs().length, seen), SLACK * PROMISED_MS);
  const took = outs().map(({ at }) => Math.round(at - died));
  t.diagnostic(
    `out of use after ${took.toSorted((a, b) => a - b).join(', ')} ms; promised ${PROMISED_MS} on an idle machine`,
  );
  assert.ok(Math.max(...took) <= SLACK * PROMISED_MS);
  assert.ok(outs().every(({ facts }) => facts['by'] === 'probe'));
  for (const [i, { port }] of served.entries()) {
    const answers = [await who(entry, port, 500), await who(entry, port, 500)];
    const expected = DEATHS[i]?.isUnseen ? ['', good.address] : [good.address, good.address];
    assert.deepEqual(answers.toSorted(), expected.toSorted(), DEATHS[i]?.name ?? '');
  }
}
