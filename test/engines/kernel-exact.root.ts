/**
 * The kernel engine's numbers against those of others, to the last one: connections per rule against the origins' own
 * count, packets and bytes against a packet socket on the entry's link, and every connection has its record, is in no
 * sample, or is counted as lost. What is counted: of TCP whole IP packets (IP and TCP headers included, link headers not),
 * of UDP the payload. `npm run exact` does it with 100,000 connections.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { KernelSetting } from '../../src/engines/kernel/setting.ts';
import type { Listener } from '../../src/engines/engine.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, listener, options, target } from '../suites/engine/listener.ts';
import { ask, tcpClient } from '../suites/engine/tcp-peers.ts';
import { whyNoNamespaces, type Namespaces } from './kernel-namespaces.ts';
import { type CountingOrigin, countingOrigin, countingUdpOrigin, sumOf, talk } from './kernel-books.ts';
import type { KernelStatus } from './kernel-agent.ts';
import { type Agent, startAgent, takeStage } from './kernel-stage.ts';
import { countPackets } from './packet-count.ts';

const CONNECTIONS = Number(process.env['EXACT_CONNECTIONS'] ?? 8_000);
/** limit: the last connections are forgotten by the system seconds after their end. */
const PATIENCE_MS = 60_000;
/** limit: a client that is slower than that between two datagrams has two sessions. */
const UDP_IDLE_S = 10;
const UDP_HEADERS = 28;

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine, exactly', () => exactness(takeStage()));
else describe('kernel engine, exactly', () => test('is not available here', { skip: missing }, () => {}));

interface Case {
  readonly rule: Listener;
  readonly origins: readonly CountingOrigin[];
  readonly count: number;
}

/** One port; a hundred; two origins, three to one; one in ten recorded; UDP. */
async function cases(t: TestContext, world: Namespaces, total: number): Promise<Case[]> {
  const origin = (port = 0): Promise<CountingOrigin> => countingOrigin(t, world.address(), port);
  const [one, hundred, heavy, sampled] = [await origin(), await origin(), await origin(), await origin()];
  const light = await origin(heavy.port);
  const udp = await countingUdpOrigin(t, world.address());
  const entries = [world.entry()];
  const at = (from: number, to = from) => ({ entries, ports: [{ from, to }] });
  const rules = [
    listener({ id: 'rule-one', ...at(80), ...leadsTo(one) }),
    listener({ id: 'rule-hundred', ...at(2000, 2099), ...leadsTo(hundred) }),
    listener({
      id: 'rule-weights',
      ...at(443),
      ...leadsTo(heavy),
      targets: [target(heavy.address, 3), target(light.address, 1)],
    }),
    listener({ id: 'rule-sampled', ...at(90), ...leadsTo(sampled), options: options({ recordOneIn: 10 }) }),
    listener({
      id: 'rule-udp',
      protocol: 'UDP',
      ...at(53),
      ...leadsTo(udp),
      options: options({ idleSeconds: UDP_IDLE_S }),
    }),
  ];
  const parts = [[one], [hundred], [heavy, light], [sampled], [udp]];
  const counts = [0.3, 0.25, 0.2, 0.15, 0.1].map((share) => Math.round(total * share));
  return rules.map((rule, i) => ({ rule, origins: parts[i] ?? [], count: counts[i] ?? 0 }));
}

function exactness(world: Namespaces): void {
  async function run(t: TestContext, total: number, setting: Partial<KernelSetting>) {
    const all = await cases(t, world, total);
    const agent = await startAgent(
      t,
      world,
      all.map(({ rule }) => rule),
      setting,
    );
    const counting = await countPackets(world.edge, 'e0');
    const started = performance.now();
    await Promise.all(all.map(({ rule, count }) => talk(rule, count, world.address())));
    const seconds = (performance.now() - started) / 1000;
    const status = await eventually(async () => {
      const status = await agent.status();
      for (const { rule } of all) {
        const { connections, records, sampled, lost, active } = sumOf(status, rule.id);
        assert.equal(records + sampled + lost, connections, rule.id);
        assert.equal(active, 0, rule.id);
      }
      return status;
    }, PATIENCE_MS);
    const packets = await counting.end();
    await agent.kill();
    t.diagnostic(`${total} connections in ${seconds.toFixed(1)} s`);
    return { all, status, packets };
  }

  test(`connections, packets and bytes of ${CONNECTIONS} connections`, async (t) => {
    const { all, status, packets } = await run(t, CONNECTIONS, {});
    for (const { rule, origins, count } of all) {
      const counters = status.counters[rule.id] ?? assert.fail(rule.id);
      const protocol = rule.protocol === 'UDP' ? 17 : 6;
      assert.equal(counters.connections, count, rule.id);
      assert.equal(
        origins.reduce((sum, origin) => sum + origin.count(), 0),
        count,
        rule.id,
      );
      const [span] = rule.ports;
      const isEntry = (port: number): boolean => port >= (span?.from ?? 0) && port <= (span?.to ?? 0);
      const { to } = packets.between(rule.entries[0] ?? '', protocol, isEntry);
      const back = origins.map(({ address, port }) => packets.between(address, protocol, (one) => one === port).from);
      const from = back.reduce((a, b) => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes }));
      const headers = protocol === 17 ? UDP_HEADERS : 0;
      const { packetsIn, packetsOut, bytesIn, bytesOut } = counters;
      assert.deepEqual(
        { packetsIn, packetsOut, bytesIn, bytesOut },
        {
          packetsIn: to.packets,
          packetsOut: from.packets,
          bytesIn: to.bytes - headers * to.packets,
          bytesOut: from.bytes - headers * from.packets,
        },
        rule.id,
      );
      const { records, sampled, lost } = sumOf(status, rule.id);
      assert.equal(lost, 0, rule.id);
      if (rule.options.recordOneIn === 1) {
        const { bytesIn: toldIn, bytesOut: toldOut } = status.records[rule.id] ?? assert.fail(rule.id);
        assert.deepEqual([records, sampled, toldIn, toldOut], [count, 0, bytesIn, bytesOut], rule.id);
      } else assert.deepEqual([records, sampled], [count / 10, count - count / 10], rule.id);
      t.diagnostic(`${rule.id}: ${count} connections, ${packetsIn + packetsOut} packets, ${bytesIn + bytesOut} bytes`);
    }
    const [heavy, light] = all[2]?.origins ?? [];
    assert.equal(heavy?.count(), 3 * (light?.count() ?? NaN));
  });

  test('with a buffer that runs over, what is not recorded is counted as lost', async (t) => {
    const { all, status } = await run(t, CONNECTIONS / 4, { eventsBytes: 1 });
    for (const { rule, count } of all) {
      const sum = sumOf(status, rule.id);
      assert.equal(sum.connections, count, rule.id);
      t.diagnostic(`${rule.id}: ${JSON.stringify(sum)}`);
    }
    assert.ok(sumOf(status, 'rule-one').lost > 0);
    assert.ok(status.logs.some((line) => line.includes('more connections ended at once')));
  });

  test('what ends while nobody is there is counted as lost, what lives on is recorded at its end', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'edgefour-exact-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const setting = { counterFile: join(folder, 'counters') };
    const [one] = await cases(t, world, 1);
    const rule = one?.rule ?? assert.fail();
    /** Until so many live, and the sum is whole. `before`: counted in an earlier life. */
    const end = (agent: Agent, living: number, before = 0): Promise<KernelStatus> =>
      eventually(async () => {
        const status = await agent.status();
        const { active, connections, records, lost } = sumOf(status, rule.id);
        assert.deepEqual([connections + before, active], [records + lost + living, living]);
        return status;
      }, PATIENCE_MS);

    const first = await startAgent(t, world, [rule], setting);
    const older = await tcpClient(t, ...entryOf(rule));
    await ask(older, 'x');
    await talk(rule, 100, world.address());
    assert.deepEqual(sumOf(await end(first, 1), rule.id), {
      connections: 101,
      records: 100,
      sampled: 0,
      lost: 0,
      active: 1,
    });
    await first.kill();
    await talk(rule, 70, world.address(), 100);
    // A look makes the kernel forget those whose time is up, and nobody hears of it.
    await eventually(() => assert.equal(livingIn(world), 1), PATIENCE_MS);
    const younger = await tcpClient(t, ...entryOf(rule));
    await ask(younger, 'x');

    const second = await startAgent(t, world, [rule], setting);
    await talk(rule, 30, world.address(), 170);
    assert.equal(await ask(older, 'y'), 'y');
    older.end();
    younger.end();
    const status = await end(second, 0, 1);
    // One of these was counted in the first life.
    const sum = { connections: 101, records: 32, sampled: 0, lost: 70, active: 0 };
    assert.deepEqual(sumOf(status, rule.id), sum);
    // Nobody listened when it began, so the system tells nobody of its end.
    assert.ok((status.records[rule.id]?.ends['unseen'] ?? 0) <= 1);
    await second.kill();
  });
}

/** How many connections the edge's kernel knows of. */
function livingIn(world: Namespaces): number {
  const conntrack = JSON.stringify(import.meta.resolve('../../src/engines/kernel/conntrack/conntrack.ts'));
  const script = `import { openConntrack } from ${conntrack}; console.log(openConntrack().flows().length)`;
  return Number(world.inEdge(process.execPath, '--input-type=module', '-e', script));
}
