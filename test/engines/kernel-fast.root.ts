/**
 * The fast path on the wire: long conversations take it, every packet and byte of them is counted all the same (against a
 * packet socket on the entry's link), and whoever changes something on this machine is heard by connections that are on it.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test, type TestContext } from 'node:test';
import type { Listener } from '../../src/engines/engine.ts';
import type { KernelSetting } from '../../src/engines/kernel/setting.ts';
import { FAST_FROM } from '../../src/engines/kernel/fast-path/layout.ts';
import { loadPrograms } from '../../src/engines/kernel/fast-path/programs.ts';
import { serveInterfaces } from '../../src/engines/kernel/fast-path/served.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, listener, options } from '../suites/engine/listener.ts';
import { ask, echo, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho, type UdpPeer, udpPeer } from '../suites/engine/udp-peers.ts';
import { sumOf } from './kernel-books.ts';
import { whyNoNamespaces, type Namespaces } from './kernel-namespaces.ts';
import { type Agent, startAgent, takeStage } from './kernel-stage.ts';
import { countPackets } from './packet-count.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('fast path', () => cases(takeStage()));
else describe('fast path', () => test('is not available here', { skip: missing }, () => {}));

const CONVERSATIONS = 8;
const TURNS = 200;
/** limit: how long the texts of a conversation are; a packet that is longer than the one that was learned goes the long way. */
const growing = (turn: number): number => (turn * 37) % 700;
const SAME = 100;
const BULK_BYTES = 8 << 20;
/** SYN, FIN and what acknowledges them. */
const EDGES = 8;
const UDP_HEADERS = 28;

const PORTS = [{ from: 700, to: 700 }];

type Family = 4 | 6;

function cases(world: Namespaces): void {
  const places = (family: Family) =>
    family === 4
      ? { entry: world.entry(), origin: world.address(), client: world.address() }
      : { entry: world.entry6(), origin: world.address6(), client: world.address6() };

  async function tcpRule(t: TestContext, family: Family, change: Partial<Listener> = {}): Promise<Listener> {
    const { entry, origin: address } = places(family);
    const origin = await tcpOrigin(t, echo, { address });
    return listener({ id: `tcp-${family}`, entries: [entry], ports: PORTS, ...leadsTo(origin), ...change });
  }

  async function udpRule(t: TestContext, family: Family, change: Partial<Listener> = {}): Promise<Listener> {
    const { entry, origin: address } = places(family);
    const origin = await udpEcho(t, { address });
    return listener({
      id: `udp-${family}`,
      protocol: 'UDP',
      entries: [entry],
      ports: PORTS,
      ...leadsTo(origin),
      ...change,
    });
  }

  const start = (t: TestContext, rules: readonly Listener[], setting?: Partial<KernelSetting>): Promise<Agent> =>
    startAgent(t, world, rules, setting);

  test('every packet and byte of long conversations is counted, by rule and by record', async (t) => {
    const idle = { options: options({ idleSeconds: 3 }) };
    const [tcp, udp] = [await tcpRule(t, 4), await udpRule(t, 4, idle)];
    const agent = await start(t, [tcp, udp]);
    const counting = await countPackets(world.edge, 'e0');
    await Promise.all(
      Array.from({ length: CONVERSATIONS }, async (_, i) => {
        await converse(t, tcp, world.address());
        if (i % 4 === 0) await bulk(t, tcp, world.address());
        await exchange(udp, await udpPeer(t, { address: world.address() }));
      }),
    );
    const status = await eventually(async () => {
      const status = await agent.status();
      for (const { id } of [tcp, udp]) {
        const { connections, records, active } = sumOf(status, id);
        assert.deepEqual([records, active], [connections, 0], id);
      }
      return status;
    });
    const packets = await counting.end();
    await agent.kill();
    for (const { id, protocol, entries, ports, targets, originPorts } of [tcp, udp]) {
      const counters = status.counters[id] ?? assert.fail(id);
      const number = protocol === 'UDP' ? 17 : 6;
      const headers = protocol === 'UDP' ? UDP_HEADERS : 0;
      const { to } = packets.between(entries[0] ?? '', number, (port) => port === ports[0]?.from);
      const { from } = packets.between(targets[0]?.address ?? '', number, (port) => port === originPorts.from);
      const { packetsIn, packetsOut, bytesIn, bytesOut, fastPackets = 0 } = counters;
      const seen = {
        packetsIn: to.packets,
        packetsOut: from.packets,
        bytesIn: to.bytes - headers * to.packets,
        bytesOut: from.bytes - headers * from.packets,
      };
      assert.deepEqual({ packetsIn, packetsOut, bytesIn, bytesOut }, seen, id);
      const recorded = status.records[id] ?? assert.fail(id);
      assert.deepEqual([recorded.bytesIn, recorded.bytesOut], [bytesIn, bytesOut], id);
      assert.ok(fastPackets > TURNS, `${id}: ${fastPackets} of ${packetsIn + packetsOut}`);
      t.diagnostic(`${id}: ${fastPackets} of ${packetsIn + packetsOut} packets were fast`);
    }
  });

  test('IPv6, as well', async (t) => {
    const [tcp, udp] = [await tcpRule(t, 6), await udpRule(t, 6)];
    const agent = await start(t, [tcp, udp]);
    const since = performance.now();
    await converse(t, tcp, world.address6(), () => SAME);
    await exchange(udp, await udpPeer(t, { address: world.address6() }), TURNS, () => SAME);
    const { counters } = await agent.status();
    const seconds = Math.ceil((performance.now() - since) / 1000);
    for (const { id } of [tcp, udp]) {
      const { packetsIn = 0, packetsOut = 0, fastPackets = 0 } = counters[id] ?? {};
      const slow = packetsIn + packetsOut - fastPackets;
      // What goes the long way: the first ones; once a second each way one, and one that is longer than that; TCP's edges.
      const most = FAST_FROM + 4 * (1 + seconds) + EDGES;
      t.diagnostic(
        `${id}: ${slow} of ${packetsIn + packetsOut} packets went the long way, ${most} may in ${seconds} s`,
      );
      assert.ok(packetsIn + packetsOut >= 2 * TURNS && slow <= most, `${id}: ${slow} of ${packetsIn + packetsOut}`);
    }
    await bulk(t, tcp, world.address6());
    await agent.kill();
  });

  const noTool = hasTool() ? false : 'needs ethtool';
  test('checksums that senders make themselves are right behind it, too', { skip: noTool }, async (t) => {
    offload(world, 'off');
    t.after(() => offload(world, 'on'));
    const rules = [await tcpRule(t, 4), await udpRule(t, 4), await tcpRule(t, 6), await udpRule(t, 6)];
    const agent = await start(t, rules);
    for (const rule of rules) {
      const from = rule.id.endsWith('6') ? world.address6() : world.address();
      await (rule.protocol === 'TCP' ? converse(t, rule, from) : exchange(rule, await udpPeer(t, { address: from })));
    }
    const { counters } = await agent.status();
    await agent.kill();
    for (const { id } of rules) assert.ok((counters[id]?.fastPackets ?? 0) > TURNS, id);
  });

  test('what somebody else drops from now on is dropped on the fast path, too', async (t) => {
    const [rule, other] = [await udpRule(t, 4), await udpRule(t, 4, { id: 'udp-other' })];
    const agent = await start(t, [rule, other]);
    const [client, witness] = [
      await udpPeer(t, { address: world.address() }),
      await udpPeer(t, { address: world.address() }),
    ];
    await exchange(rule, client);
    await exchange(other, witness);
    const filter = `table inet other { chain c { type filter hook forward priority 0; ip daddr ${rule.targets[0]?.address} drop; }; }`;
    world.inEdge('sh', '-c', `echo '${filter}' | nft -f -`);
    let isThere = true;
    const remove = (): void => {
      if (isThere) world.inEdge('nft', 'delete', 'table', 'inet', 'other');
      isThere = false;
    };
    t.after(remove);
    // limit: what changes is heard of ten times a second.
    await eventually(async () => {
      const before = client.got.length;
      client.send(Buffer.from('x'), ...entryOf(rule));
      await exchange(other, witness, 3);
      assert.equal(client.got.length, before);
    });
    remove();
    await eventually(async () => {
      const before = client.got.length;
      client.send(Buffer.from('x'), ...entryOf(rule));
      await exchange(other, witness, 3);
      assert.ok(client.got.length > before);
    });
    await agent.kill();
  });

  test('a rule that is removed with a reset ends who is on it', async (t) => {
    const rule = await tcpRule(t, 4, { options: options({ drain: { how: 'reset', seconds: 0 } }) });
    const agent = await start(t, [rule]);
    const socket = await tcpClient(t, ...entryOf(rule), world.address());
    for (let turn = 0; turn < TURNS; turn++) await ask(socket, 'x');
    assert.ok(((await agent.status()).counters[rule.id]?.fastPackets ?? 0) > TURNS);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => {});
    await agent.apply({ ...rule, targets: [] });
    await closed;
    await agent.kill();
  });

  test('a rule that is removed has no session any more at once, and says so for good', async (t) => {
    const rule = await udpRule(t, 4);
    const agent = await start(t, [rule]);
    const clients = await Promise.all([1, 2, 3].map(() => udpPeer(t, { address: world.address() })));
    for (const client of clients) await exchange(rule, client, 20);
    const counters = async () => (await agent.status()).counters[rule.id];
    await eventually(async () => assert.equal((await counters())?.active, clients.length));
    assert.ok(((await counters())?.fastPackets ?? 0) > 0);
    await agent.remove(rule.id);
    await eventually(async () => assert.equal((await counters())?.active, 0));
    await agent.kill();
  });

  test('it goes with the process: connections go on, the long way', async (t) => {
    const rule = await tcpRule(t, 4);
    const agent = await start(t, [rule]);
    const socket = await tcpClient(t, ...entryOf(rule), world.address());
    for (let turn = 0; turn < TURNS; turn++) await ask(socket, 'x');
    await agent.kill();
    // More than any window that conntrack has seen.
    assert.equal(await echoed(socket, BULK_BYTES), true);
    const next = await start(t, [rule]);
    for (let turn = 0; turn < TURNS; turn++) await ask(socket, 'x');
    assert.ok(((await next.status()).counters[rule.id]?.fastPackets ?? 0) > TURNS);
    await next.kill();
  });

  test('what a thread that died had attached is gone when the next one attaches', (t) => {
    const [dead, next] = [loadPrograms(), loadPrograms()];
    t.after(() => [dead, next].forEach((one) => one.close()));
    serveInterfaces(dead);
    const attached = links();
    assert.ok(attached.length >= 2);
    const served = serveInterfaces(next);
    assert.equal(links().length, attached.length);
    assert.ok(links().every((link) => !attached.includes(link)));
    served.close();
    assert.deepEqual(links(), []);
  });

  test('switched off there is none, and nobody misses it', async (t) => {
    const rule = await tcpRule(t, 4);
    const agent = await start(t, [rule], { fastPath: false });
    await converse(t, rule, world.address());
    const { counters } = await agent.status();
    await agent.kill();
    assert.equal(counters[rule.id]?.fastPackets, 0);
    assert.ok(!world.inEdge('nft', 'list', 'chain', 'inet', 'edgefour', 'fast').includes('meta mark set'));
  });
}

async function converse(t: TestContext, rule: Listener, from: string, length = growing): Promise<void> {
  const socket = await tcpClient(t, ...entryOf(rule), from);
  for (let turn = 0; turn < TURNS; turn++) await ask(socket, 'x'.repeat(1 + length(turn)));
  socket.end();
}

async function bulk(t: TestContext, rule: Listener, from: string): Promise<void> {
  const socket = await tcpClient(t, ...entryOf(rule), from);
  assert.equal(await echoed(socket, BULK_BYTES), true);
  socket.end();
}

/** Sends so many bytes, and gives whether the same come back. */
async function echoed(socket: Awaited<ReturnType<typeof tcpClient>>, bytes: number): Promise<boolean> {
  const sent = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 4) sent.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
  const [there, back] = [createHash('sha256').update(sent), createHash('sha256')];
  let got = 0;
  const whole = new Promise<void>((resolve) => {
    socket.on('data', function take(part: Buffer) {
      back.update(part);
      got += part.length;
      if (got < bytes) return;
      socket.off('data', take);
      resolve();
    });
  });
  socket.write(sent);
  await whole;
  return there.digest('hex') === back.digest('hex');
}

/** Datagrams there and back, one by one. */
async function exchange(rule: Listener, client: UdpPeer, turns = TURNS, length = growing): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    const text = `${turn} `.padEnd(4 + length(turn), 'x');
    const next = client.got.length;
    client.send(Buffer.from(text), ...entryOf(rule));
    assert.equal((await client.datagram(next)).toString(), text);
  }
}

/** Whether the link makes checksums for senders, or they do. */
function offload(world: Namespaces, how: 'on' | 'off'): void {
  execFileSync('ethtool', ['-K', 'o0', 'tx', how], { stdio: 'pipe' });
  world.inEdge('ethtool', '-K', 'e0', 'tx', how);
}

/** Which links to interfaces this process has. */
function links(): string[] {
  return readdirSync('/proc/self/fdinfo').flatMap((fd) => {
    const text = textOf(`/proc/self/fdinfo/${fd}`);
    return text.includes('link_type:\ttcx') ? [/^link_id:\s*(\d+)$/m.exec(text)?.[1] ?? ''] : [];
  });
}

/** The folder's own descriptor is gone by the time it is asked. */
function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}

function hasTool(): boolean {
  return spawnSync('ethtool', ['--version']).status === 0;
}
