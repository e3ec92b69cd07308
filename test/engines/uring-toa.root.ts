/** TOA on the wire: the client's address in a TCP option of the handshake, IPv4 and IPv6, and of nobody else's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort } from '../suites/engine/fixture.ts';
import { listener, target } from '../suites/engine/listener.ts';
import { treeWorld } from '../world/world.ts';
import { enter, makeNamespaces, type Namespaces, whyNoNamespaces } from './kernel-namespaces.ts';
import { capture } from './uring-capture.ts';

const quiet = { record() {}, listener() {}, outcomes() {}, log() {} };

const missing = await whyUnavailable();

describe('TOA', { skip: missing ?? whyNoNamespaces() ?? false }, () => {
  let namespaces: Namespaces;
  before(() => {
    namespaces = makeNamespaces();
    // A loopback interface of its own: on that of the machine others speak as well, and a capture loses packets.
    enter(namespaces.out);
  });
  after(() => namespaces[Symbol.dispose]());

  for (const [family, entry, origin, kind] of [
    ['IPv4', '127.0.0.77', '127.0.0.1', 254],
    ['IPv6', '::1', '::1', 253],
    ['IPv4 with another kind', '127.0.0.77', '127.0.0.1', 200],
  ] as const) {
    test(`the option is on the SYN, on the ACK and on the first data: ${family}`, async (t) => {
      const home = readFileSync('/proc/self/cgroup', 'latin1');
      const engine = await createUringEngineWith({ workers: 2, toaKinds: { v4: kind, v6: kind } }, quiet);
      t.after(() => engine.stop(0));
      assert.ok(engine.capabilities().modes.includes('TOA'), JSON.stringify(engine.capabilities()));
      const server = createServer((socket) => socket.pipe(socket)).listen(0, origin);
      await once(server, 'listening');
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const wire = capture();
      t.after(() => wire.close());
      const entryPort = await freePort(entry);
      const applied = await engine.apply(
        listener({
          id: 'toa',
          mode: 'TOA',
          entries: [entry],
          ports: [{ from: entryPort, to: entryPort }],
          originPorts: { from: port, to: port },
          targets: [target(origin)],
        }),
      );
      assert.deepEqual(applied, { ok: true });
      const client = connect(entryPort, entry);
      await once(client, 'connect');
      for (let i = 0; i < 6; i++) {
        client.write(`message ${i}`);
        await once(client, 'data');
      }
      await eventually(() => assert.ok(wire.to(port).filter(({ payload }) => payload > 0).length >= 6));
      const option = Buffer.alloc(family === 'IPv6' ? 20 : 8);
      option[0] = kind;
      option[1] = option.length;
      option.writeUInt16BE(client.localPort ?? 0, 2);
      if (family === 'IPv6') option[19] = 1;
      else option.set([127, 0, 0, 1], 4);
      const [syn, ack] = wire.to(port);
      assert.ok(syn?.syn && ack && !ack.syn);
      assert.deepEqual(syn.options.get(kind), option);
      assert.deepEqual(ack.options.get(kind), option);
      assert.deepEqual(
        wire
          .to(port)
          .find(({ payload }) => payload > 0)
          ?.options.get(kind),
        option,
      );
      assert.equal(wire.to(port).at(-1)?.options.get(kind), undefined, 'later segments do without');
      assert.ok(
        wire.to(entryPort).every(({ options }) => !options.has(kind)),
        'the client must not see it',
      );
      client.destroy();
      await engine.stop(0);
      assert.equal(readFileSync('/proc/self/cgroup', 'latin1'), home, 'the process is where it was');
    });
  }

  test('the kind is what the setting says, through the whole program', async (t) => {
    await using w = await treeWorld({ settings: ['--engine', 'uring', '--toa-kind', '222', '--drain', '0'] });
    const { address, ports } = await w.proxy('toa', [{ ClientIPPassThroughMode: 'TOA' }]);
    const wire = capture();
    t.after(() => wire.close());
    const client = connect(ports[0] ?? 0, address);
    await once(client, 'connect');
    await eventually(() => {
      const [option] = wire.to(w.origins[0]?.tcpPort ?? 0).flatMap(({ options }) => options.get(222) ?? []);
      assert.equal(option?.readUInt16BE(2), client.localPort);
    });
    client.destroy();
  });
});
