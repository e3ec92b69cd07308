/** Out of source ports: the cause says so, and no origin is blamed. In a namespace whose system has one port to give. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { EngineEvents } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { leadsTo, listener } from '../suites/engine/listener.ts';
import { ask, dialTcp, readAll, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from './kernel-namespaces.ts';

const MAKERS = {
  uring: (events: EngineEvents) => createUringEngineWith({ workers: 1 }, events),
  node: (events: EngineEvents) => createNodeEngine(events),
};
const noUring = await whyUnavailable();

describe('out of source ports', { skip: whyNoNamespaces() ?? false }, () => {
  let namespaces: Namespaces;
  before(() => {
    namespaces = makeNamespaces();
    enter(namespaces.out);
  });
  after(() => namespaces[Symbol.dispose]());

  // In a namespace of its own, where no other program's connection has the same port towards another destination.
  for (const name of ['uring', 'node'] as const)
    test(
      `${name}: a rule listens on a port of the system's that a connection is dialled from`,
      { skip: name === 'uring' ? (noUring ?? false) : false },
      async (t) => {
        const engine = await MAKERS[name]({ record() {}, listener() {}, outcomes() {}, log() {} });
        t.after(() => engine.stop(0));
        const origin = await tcpOrigin(t, undefined, { address: '127.0.0.9', port: 9000 });
        const ports = [{ from: 7000, to: 7000 }];
        const rule = listener({ ...leadsTo(origin), id: 'first', entries: ['127.0.0.7'], ports });
        assert.deepEqual(await engine.apply(rule), { ok: true });
        const client = dialTcp(t, '127.0.0.7', 7000, '127.0.0.5').on('error', () => {});
        await ask(client, 'x');
        const { remoteAddress = '', remotePort = 0 } = origin.connections[0] ?? {};
        const theSame = [{ from: remotePort, to: remotePort }];
        const beside = listener({ ...leadsTo(origin), id: 'beside', entries: [remoteAddress], ports: theSame });
        assert.deepEqual(await engine.apply(beside), { ok: true });
        const other = dialTcp(t, remoteAddress, remotePort, '127.0.0.5').on('error', () => {});
        assert.equal(await ask(other, 'beside'), 'beside');
        assert.equal(await ask(client, 'still'), 'still');
      },
    );

  for (const name of ['uring', 'node'] as const)
    test(
      `${name}: the cause is no-source-port, of connections and of sessions`,
      {
        skip: name === 'uring' ? (noUring ?? false) : false,
      },
      async (t) => {
        execFileSync('sysctl', ['-qw', 'net.ipv4.ip_local_port_range=40000 40001']);
        const records: ConnectionRecord[] = [];
        const engine = await MAKERS[name]({
          record: (record) => records.push(record),
          listener() {},
          outcomes() {},
          log() {},
        });
        t.after(() => engine.stop(0));
        const origin = await tcpOrigin(t, undefined, { address: '127.0.0.9', port: 9000 });
        const rule = listener({
          ...leadsTo(origin),
          id: 'tcp',
          entries: ['127.0.0.7'],
          ports: [{ from: 7000, to: 7000 }],
        });
        assert.deepEqual(await engine.apply(rule), { ok: true });
        // Clients have ports of their own.
        let clients = 30_000;
        const client = () => dialTcp(t, '127.0.0.7', 7000, '127.0.0.5', ++clients).on('error', () => {});
        await ask(client(), 'x');
        await ask(client(), 'x');
        assert.deepEqual(new Set(origin.connections.map(({ remotePort }) => remotePort)), new Set([40_000, 40_001]));
        assert.equal((await readAll(client())).end, 'reset');
        await eventually(() =>
          assert.deepEqual(
            records.map(({ end }) => end),
            ['no-source-port'],
          ),
        );
        const echo = await udpEcho(t, { address: '127.0.0.9', port: 9001 });
        const udp = listener({
          ...leadsTo(echo),
          id: 'udp',
          protocol: 'UDP',
          entries: ['127.0.0.7'],
          ports: [{ from: 7000, to: 7000 }],
        });
        assert.deepEqual(await engine.apply(udp), { ok: true });
        for (let i = 0; i < 3; i++) {
          const peer = await udpPeer(t, { address: '127.0.0.5', port: 30_100 + i });
          peer.send('x', '127.0.0.7', 7000);
          if (i < 2) await peer.datagram(0);
        }
        const told = async (): Promise<number> => {
          const counters = (await engine.counters()).get('udp');
          return (counters?.ends['no-source-port'] ?? 0) + (counters?.dropped['no-source-port'] ?? 0);
        };
        await eventually(async () => assert.equal(await told(), 1));
      },
    );
});
