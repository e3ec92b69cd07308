/**
 * Fifty edges in one site, each with the parts that watch origins and none of its engines: how many probes an origin hears, how
 * soon what two of them find is with all others, and what they do when control is gone. Probes are real connections.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { UNCHECKED } from '../../src/edge/health/check-verdict.ts';
import { Checks } from '../../src/edge/health/checks.ts';
import { Others } from '../../src/edge/health/others.ts';
import { probe } from '../../src/edge/health/probe.ts';
import { checkRule } from '../../src/edge/health/schedule.ts';
import { RecordQueue } from '../../src/edge/report/record-queue.ts';
import { Reporter } from '../../src/edge/report/reporter.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { egressRule } from '../../src/lib/net/egress.ts';
import { systemRng as rng } from '../../src/lib/rng.ts';
import { createLinkClient } from '../../src/link/client.ts';
import { Replica } from '../../src/link/replica.ts';
import { eventually, loopback } from '../suites/engine/fixture.ts';
import { quietHealth } from '../world/quiet-health.ts';
import { type ControlEnd, controlEnd } from './control-end.ts';
import { mortalOrigin } from './mortal-origins.ts';

const EDGES = 50;
const ORIGINS = 6;
const INTERVALS = 4;

function prober(t: TestContext, control: ControlEnd, edge: string, addresses: readonly string[], checker: Checker) {
  const others = new Others(edge, clock);
  const tools = { clock, rng, egress: egressRule([]), lookup: async () => ({ addresses: [], ttl: 1 }) };
  const checks = new Checks(clock, (address, how) => probe(address, how, tools as never), others);
  const link = createLinkClient(
    { kind: 'socket', path: control.socket },
    { edge, site: 'paris', version: '1' },
    { clock, rng },
  );
  const source = {
    ack: () => ({ edge, site: 'paris', version: '1', world: '', applied: 0, failed: [], engines: [], alarms: [] }),
    placements: () => new Map(),
    takeMoved: () => new Map(),
    counters: async () => new Map(),
    health: { ...quietHealth(), checks },
  };
  const reporter = new Reporter({ link, source, records: new RecordQueue(), edge, site: 'paris', clock, rng });
  const sink = {
    connected: () => reporter.connected(),
    step() {},
    verdicts: (frame: Parameters<Others['take']>[0]) => others.take(frame),
    disconnected() {
      reporter.disconnected();
      others.disconnected();
    },
  };
  const ending = new AbortController();
  const following = link.follow(new Replica(), sink, ending.signal);
  t.after(async () => {
    ending.abort();
    await following;
    await reporter.stop();
    checks.close();
    others.close();
    link.close();
  });
  for (const [number, address] of addresses.entries()) {
    const names = { key: address, origin: address, zone: 'z', host: address, group: 'og-1' };
    const how = { check: { owner: 'lb-1', checker }, passive: false, slowStartSeconds: 0, rules: new Set(['r']) };
    checks.ask({ number, address, ...names, ...how }, UNCHECKED);
  }
  return { edge, checks, others };
}

test('fifty edges: two probes an interval for each origin, a verdict with all within a second, all probe once control is gone', async (t) => {
  await using control = await controlEnd();
  await control.put({ 'zone/z': { id: 'z' } });
  const first = await mortalOrigin(t, loopback());
  const origins = [first];
  while (origins.length < ORIGINS) origins.push(await mortalOrigin(t, loopback(), first.port));
  const checker: Checker = { type: 'TCP', port: first.port, intervalSeconds: 1, timeoutSeconds: 1, rise: 2, fall: 2 };
  const key = (address: string): string => `${address} ${checkRule(checker).key}`;
  const addresses = origins.map(({ address }) => address);
  const probers = Array.from({ length: EDGES }, (_, n) => prober(t, control, `e${n}`, addresses, checker));
  /** By address, of how many edges the check is. */
  const shares = () =>
    addresses.map((address) => probers.filter(({ checks }) => checks.facts(key(address)).length > 0).length);
  const knows =
    (address: string, verdict: string) =>
    ({ others }: (typeof probers)[number]) =>
      others.word(key(address), 1_000)?.verdict === verdict;
  await eventually(() => {
    assert.deepEqual(
      shares(),
      addresses.map(() => 2),
    );
    for (const address of addresses) assert.ok(probers.every(knows(address, 'healthy')));
  }, 30_000);

  const heard = () => Promise.all(origins.map((origin) => origin.heard()));
  const before = await heard();
  await clock.sleep(INTERVALS * 1_000);
  const probes = (await heard()).map((n, i) => n - before[i]!);
  t.diagnostic(`${INTERVALS} intervals: ${probes.join(', ')} probes`);
  for (const n of probes) assert.ok(n >= 2 && n <= 2 * (INTERVALS + 1), `${n} probes in ${INTERVALS} intervals`);

  const dead = first;
  let reported = 0;
  control.facts.verdicts.changed.listen(({ check }) => {
    if (check === key(dead.address) && control.facts.verdicts.of('paris', check).verdict === 'unhealthy')
      reported ||= performance.now();
  });
  const told = new Promise<number>((resolve) => {
    for (const { others } of probers)
      others.changed.listen(() => {
        if (probers.every(knows(dead.address, 'unhealthy'))) resolve(performance.now());
      });
  });
  await dead.become('closed');
  const took = (await told) - reported;
  t.diagnostic(`from the site's verdict to the last of ${EDGES} edges: ${Math.round(took)} ms`);
  assert.ok(took <= 1_000, `${took} ms`);

  await control.down();
  await eventually(
    () =>
      assert.deepEqual(
        shares(),
        addresses.map(() => EDGES),
      ),
    30_000,
  );
  const alone = await heard();
  await clock.sleep(2_000);
  for (const [i, n] of (await heard()).entries())
    if (i > 0) assert.ok(n - alone[i]! >= EDGES, `${n - alone[i]!} probes`);
  assert.ok(probers.every(({ checks }) => checks.facts(key(dead.address))[0]?.verdict === 'unhealthy'));
});
