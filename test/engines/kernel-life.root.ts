/**
 * The kernel engine through a life in which its process is killed, stopped, and has its table taken away: what forwards
 * goes on forwarding, and what others have in the kernel stays theirs.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { STAMP } from '../../src/engines/kernel/acceleration.ts';
import { render } from '../../src/engines/kernel/testdata/render.ts';
import type { Listener } from '../../src/engines/engine.ts';
import { chorus } from '../suites/engine/chorus.ts';
import { anEntry, eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, listener, target } from '../suites/engine/listener.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho } from '../suites/engine/udp-peers.ts';
import { whyNoNamespaces, type Namespaces } from './kernel-namespaces.ts';
import { startAgent, takeStage } from './kernel-stage.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine', () => life(takeStage()));
else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));

/** A TCP and a UDP rule with an origin each that echoes. */
async function twoRules(t: TestContext) {
  const [tcp, udp] = [await tcpOrigin(t), await udpEcho(t)];
  const entries = [anEntry()];
  const ports = [{ from: 700, to: 700 }];
  const tcpRule = listener({ id: 'rule-tcp', entries, ports, ...leadsTo(tcp) });
  const udpRule = listener({ id: 'rule-udp', protocol: 'UDP', entries, ports, ...leadsTo(udp) });
  return { tcp, udp, tcpRule, udpRule, rules: [tcpRule, udpRule] };
}

/** Connects again and again until told to end, or the test ends; gives how many were served and how many were not. */
function knock(t: TestContext, rule: Listener): { end(): Promise<{ served: number; failed: string[] }> } {
  let isOver = false;
  t.after(() => (isOver = true));
  const [address, port] = entryOf(rule);
  const knocking = (async () => {
    const failed: string[] = [];
    let served = 0;
    while (!isOver) {
      const socket = connect({ host: address, port });
      try {
        await once(socket, 'connect');
        assert.equal(await ask(socket, 'x'), 'x');
        served++;
      } catch (error) {
        failed.push((error as Error).message);
      }
      socket.resetAndDestroy();
      await sleep(10);
    }
    return { served, failed };
  })();
  return {
    end() {
      isOver = true;
      return knocking;
    },
  };
}

const table = (world: Namespaces, name: string): string => world.inEdge('nft', 'list', 'table', 'inet', name);
/** Without what traffic changes: counters, and the sets that packets enter origins into. */
const still = (text: string): string =>
  text.replaceAll(/counter packets \d+ bytes \d+|expires \S+|set \S+ \{[^{}]*flags dynamic,timeout[^]*?\n\t\}/g, '');

function life(world: Namespaces): void {
  test('killed while 500 connections and 500 sessions run: none notices, and the next one takes over', async (t) => {
    const { rules, tcpRule, udpRule, tcp, udp } = await twoRules(t);
    let agent = await startAgent(t, world, rules);
    const talking = await chorus(t, entryOf(tcpRule), entryOf(udpRule), { connections: 500, sessions: 500 });
    const knocking = knock(t, tcpRule);
    await talking.allSpeakAgain();
    const before = still(table(world, 'edgefour'));
    for (let kill = 0; kill < 3; kill++) {
      await agent.kill();
      await talking.allSpeakAgain();
      agent = await startAgent(t, world, rules);
      await talking.allSpeakAgain();
      assert.equal(still(table(world, 'edgefour')), before);
    }
    const { served, failed } = await knocking.end();
    assert.deepEqual(failed, []);
    t.diagnostic(`${await talking.end()} questions answered, ${served} new connections, none lost`);
    assert.equal(new Set(udp.got.map(({ from }) => `${from.address} ${from.port}`)).size, 500);
    await eventually(async () => assert.equal((await agent.status()).counters[udpRule.id]?.active, 500));
    assert.ok(tcp.connections.length >= 500 + served);
    await agent.kill();
  });

  test('stopped, it leaves the rules forwarding; started with others, it takes them down', async (t) => {
    const { rules, tcpRule, udpRule } = await twoRules(t);
    const first = await startAgent(t, world, rules);
    const client = await tcpClient(t, ...entryOf(tcpRule));
    await first.stop();
    assert.equal(await ask(client, 'x'), 'x');
    assert.equal(await ask(await tcpClient(t, ...entryOf(tcpRule)), 'y'), 'y');
    const options = { ...tcpRule.options, drain: { how: 'drain', seconds: 1 } } as const;
    const other = { ...udpRule, id: 'rule-other', options };
    const second = await startAgent(t, world, [{ ...udpRule, options }]);
    await assert.rejects(tcpClient(t, ...entryOf(tcpRule)), { code: 'ECONNREFUSED' });
    // What drains was the rule's own business, and nobody knows it any more: the default is long enough for this.
    assert.equal(await ask(client, 'z'), 'z');
    client.destroy();
    await second.kill();
    const third = await startAgent(t, world, [other]);
    await eventually(() => assert.ok(!table(world, 'edgefour').includes('rule-udp')));
    assert.match(table(world, 'edgefour'), /rule-other/);
    await third.kill();
  });

  test('a ruleset that somebody flushes is made again, and connections outlive it', async (t) => {
    const { rules, tcpRule, udpRule } = await twoRules(t);
    const agent = await startAgent(t, world, rules);
    const talking = await chorus(t, entryOf(tcpRule), entryOf(udpRule), { connections: 0, sessions: 50 });
    await talking.allSpeakAgain();
    // One that speaks in the very moment is reset by the system; one that does not never knows.
    const clients = await Promise.all(Array.from({ length: 20 }, () => tcpClient(t, ...entryOf(tcpRule))));
    for (const client of clients) assert.equal(await ask(client, 'before'), 'before');
    const before = (await agent.status()).counters[tcpRule.id];
    const shape = still(table(world, 'edgefour'));
    world.inEdge('nft', 'flush', 'ruleset');
    await eventually(() => assert.equal(still(table(world, 'edgefour')), shape));
    for (const client of clients) assert.equal(await ask(client, 'after'), 'after');
    assert.equal(await ask(await tcpClient(t, ...entryOf(tcpRule)), 'new'), 'new');
    const { counters, logs } = await agent.status();
    assert.ok((counters[tcpRule.id]?.packetsIn ?? 0) > (before?.packetsIn ?? Infinity));
    assert.equal(counters[tcpRule.id]?.connections, 21);
    assert.ok(logs.some((line) => line.includes('removed by someone else')));
    await agent.kill();
  });

  test('an instance with IPv6 whose origin has IPv4 only is served over IPv4', async (t) => {
    const origin = await tcpOrigin(t);
    const [entry, entry6] = [world.entry(), world.entry6()];
    const rule = listener({
      id: 'rule-a',
      entries: [entry, entry6],
      ports: [{ from: 80, to: 80 }],
      ...leadsTo(origin),
    });
    const agent = await startAgent(t, world, [rule]);
    assert.equal(await ask(await tcpClient(t, entry, 80), 'x'), 'x');
    await assert.rejects(tcpClient(t, entry6, 80), { code: 'ECONNREFUSED' });
    await agent.stop();
  });

  test('what is in the table after many changes is what it would be if it were written anew', async (t) => {
    world.inEdge('nft', 'flush', 'ruleset');
    const entries = [world.entry(), world.entry6()];
    const many = [target(world.address(), 50), target(world.address(), 30), target(world.address6(), 1)];
    const rule = listener({
      id: 'rule-a',
      entries,
      ports: [{ from: 80, to: 80 }],
      originPorts: { from: 8080, to: 8080 },
    });
    const wide = { ports: [{ from: 1000, to: 1099 }], originPorts: { from: 2000, to: 2099 } };
    const last: Listener = { ...rule, targets: many, persistSeconds: 60, ...wide };
    let agent = await startAgent(t, world, [{ ...rule, targets: many.slice(1) }]);
    for (const step of [{ ...rule, targets: [] }, { ...rule, targets: many, ...wide }, last]) {
      await agent.kill();
      agent = await startAgent(t, world, [step]);
    }
    const live = still(table(world, 'edgefour'));
    await agent.kill();
    world.inEdge('nft', 'delete', 'table', 'inet', 'edgefour');
    const text = await render([last], {
      isGuarded: live.includes('chain guard'),
      stamp: live.includes('meta mark set ct mark') ? STAMP : [],
      owner: 'test',
    });
    world.inEdge('sh', '-c', `nft -f - <<'END'\n${text}END`);
    const anew = still(table(world, 'edgefour'));
    world.inEdge('nft', 'delete', 'table', 'inet', 'edgefour');
    assert.equal(sorted(renumbered(live)), sorted(renumbered(anew)));
  });

  test('tables of others stay as they are, and the machine passes on nothing that it did not before', async (t) => {
    world.inEdge('sysctl', '-qw', 'net.ipv4.ip_forward=0');
    world.inEdge(
      'sh',
      '-c',
      'nft -f - <<END\ntable inet other {\nset s { type ipv4_addr; elements = { 192.0.2.1 }; }\nchain c {\ntype filter hook forward priority 10; counter accept\n}\n}\nEND',
    );
    const others = (): string =>
      world.inEdge('nft', '-a', 'list', 'table', 'inet', 'other').replaceAll(/packets \d+ bytes \d+/g, '');
    const before = others();
    const { rules, tcpRule } = await twoRules(t);
    const agent = await startAgent(t, world, rules);
    assert.equal(world.inEdge('sysctl', '-n', 'net.ipv4.ip_forward').trim(), '1');
    assert.equal(await ask(await tcpClient(t, ...entryOf(tcpRule)), 'x'), 'x');
    // A stranger's packet through this machine, to nobody that a rule names.
    world.inEdge('ip', 'route', 'add', '203.0.113.0/24', 'via', '10.127.0.1');
    execFileSync('ip', ['route', 'add', '203.0.113.0/24', 'via', '10.127.0.2']);
    const guarded = (): number =>
      Number(/counter packets (\d+)/.exec(world.inEdge('nft', 'list', 'chain', 'inet', 'edgefour', 'guard'))?.[1]);
    const dropped = guarded();
    const stray = connect({ host: '203.0.113.9', port: 80, localAddress: world.address() }).on('error', () => {});
    t.after(() => stray.destroy());
    await eventually(() => assert.ok(guarded() > dropped));
    assert.equal(others(), before);
    await agent.stop();
    assert.equal(others(), before);
    world.inEdge('nft', 'delete', 'table', 'inet', 'other');
  });
}

/** Indices differ by how many rules came before. */
function renumbered(text: string): string {
  return text
    .replaceAll(/0xe[0-9a-f]{3}[0-9a-f]{4}\b/g, (mark) => `mark+${Number(mark) & 0x3ff}`)
    .replaceAll(/-\d+-([46])\b/g, '-N-$1');
}

function sorted(text: string): string {
  return text.split(/,?\s+/).toSorted().join(' ');
}
