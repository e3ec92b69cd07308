/** `edgefour doctor` on an edge whose firewall drops what the kernel engine passes on: it names who, and its advice helps. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../../src/observe/finding.ts';
import { anEntry, eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo, listener } from '../suites/engine/listener.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { type Namespaces, whyNoNamespaces } from './kernel-namespaces.ts';
import { startAgent, takeStage } from './kernel-stage.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('doctor', () => doctor(takeStage()));
else describe('doctor', () => test('is not available here', { skip: missing }, () => {}));

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** What it finds in the edge's namespace. */
function findings(t: TestContext, world: Namespaces, ...more: string[]): Finding[] {
  const data = mkdtempSync(join(tmpdir(), 'edgefour-doctor-'));
  t.after(() => rmSync(data, { recursive: true }));
  const flags = [
    '--json',
    '--data',
    data,
    '--addresses',
    '10.96.0.0/12',
    '--listen',
    '127.0.0.1:0',
    '--dns',
    '127.0.0.1:0',
  ];
  return JSON.parse(world.inEdge(process.execPath, MAIN, 'doctor', ...flags, ...more)) as Finding[];
}

function nft(world: Namespaces, ...lines: string[]): void {
  world.inEdge('sh', '-c', `nft -f - <<'END'\n${lines.join('\n')}\nEND`);
}

function doctor(world: Namespaces): void {
  test('a table that drops is named, and what doctor says lets the rule work', async (t) => {
    const origin = await tcpOrigin(t);
    const rule = listener({ id: 'rule-a', entries: [anEntry()], ports: [{ from: 80, to: 80 }], ...leadsTo(origin) });
    const agent = await startAgent(t, world, [rule]);
    assert.equal(await ask(await tcpClient(t, ...entryOf(rule)), 'before'), 'before');
    const firewall = (): Finding[] => findings(t, world).filter(({ about }) => about === 'firewall');
    assert.deepEqual(
      firewall().map(({ state }) => state),
      ['ok'],
    );

    const chain = 'type filter hook forward priority 5; policy drop;';
    nft(world, `table inet strict {`, `chain passing { ${chain} ct state established accept; }`, `}`);
    const [address, port] = entryOf(rule);
    const stuck = connect({ host: address, port }).on('error', () => {});
    t.after(() => stuck.destroy());
    let isConnected = false;
    stuck.once('connect', () => (isConnected = true));
    const [found, ...others] = firewall();
    assert.deepEqual(others, []);
    assert.equal(found?.state, 'warn');
    assert.match(found?.text ?? '', /table inet strict, chain passing \(by its policy\) \(forward, priority 5\) drops/);
    assert.equal(isConnected, false);

    world.inEdge('sh', '-c', found?.fix ?? 'false');
    assert.deepEqual(
      firewall().map(({ state }) => state),
      ['ok'],
    );
    // The system sends its first packet again at growing intervals.
    await eventually(() => assert.ok(isConnected), 60_000);
    assert.equal(await ask(stuck, 'after'), 'after');
    nft(world, 'delete table inet strict');
    await agent.stop();
    nft(world, 'delete table inet edgefour');
  });

  test('a chain that drops a port is named with its table and hook', (t) => {
    nft(
      world,
      'table ip blocklist {',
      'chain evil { ip daddr 10.96.0.0/12 tcp dport { 22, 8000-9000 } reject; }',
      'chain first { type filter hook prerouting priority raw; iif lo accept; jump evil; }',
      'chain locals { type filter hook input priority filter; policy drop; ct state established,related accept; }',
      '}',
    );
    const texts = findings(t, world).filter(({ about }) => about === 'firewall');
    nft(world, 'delete table ip blocklist');
    const all = texts.map(({ state, text }) => `${state} ${text}`).join('\n');
    assert.match(all, /^warn table ip blocklist, chain locals \(by its policy\) \(input, priority 0\) drops/m);
    assert.match(all, /^ok drops under conditions that are not judged here: ip blocklist evil$/m);
  });

  test('switches that are off are told, with who sets them', (t) => {
    world.inEdge('sysctl', '-qw', 'net.ipv4.ip_forward=0', 'net.netfilter.nf_conntrack_acct=0');
    const state = (...more: string[]) => {
      const found = findings(t, world, ...more);
      const of = (name: string) => found.find(({ about }) => about === name);
      return [of('net.ipv4.ip_forward'), of('nf_conntrack_acct')];
    };
    for (const one of state()) {
      assert.equal(one?.state, 'warn');
      assert.match(one?.fix ?? '', /^sysctl -w net\.\S+=1\. With --engine kernel/);
    }
    for (const one of state('--engine', 'kernel')) {
      assert.equal(one?.state, 'ok');
      assert.match(one?.text ?? '', /EdgeFour sets it to 1/);
    }
    const setting = [
      'net.ipv4.ip_forward=1',
      'net.netfilter.nf_conntrack_acct=1',
      'net.netfilter.nf_conntrack_timestamp=1',
    ];
    world.inEdge('sysctl', '-qw', ...setting);
    assert.deepEqual(
      state().map((one) => one?.state),
      ['ok', 'ok'],
    );
  });
}
