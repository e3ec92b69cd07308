/**
 * PROXY protocol against programs that others trust: HAProxy and nginx must read our headers as we mean them, and our
 * readers must understand theirs. Skipped, with the reason, where they are not installed.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { parsePpv1, parsePpv2, type Parsed } from '../suites/pass-through-parse.ts';
import { engineWorld, eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { entryOf, firstPort, target } from '../suites/engine/listener.ts';
import { readAll, tcpClient, tcpOrigin, type TcpOrigin } from '../suites/engine/tcp-peers.ts';
import { haproxy, missing, nginx, type Place } from './programs.ts';

async function freePlace(address = loopback()): Promise<Place> {
  return { address, port: await freePort(address) };
}

const written = ({ address, port }: Place): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

describe('they read ours', () => {
  const world = engineWorld({ create: createNodeEngine });

  /** Through the engine to the oracle, which says what it was told: client address and port, entry address and port. */
  async function askThrough(t: TestContext, oracle: Place, mode: 'PPV1' | 'PPV2', entry: string): Promise<void> {
    const port = await freePort(entry);
    const rule = await world.up(
      await world.rule({
        mode,
        entries: [entry],
        ports: [{ from: port, to: port }],
        targets: [target(oracle.address)],
        originPorts: { from: oracle.port, to: oracle.port },
      }),
    );
    const client = await tcpClient(t, ...entryOf(rule));
    const told = `${client.localAddress} ${client.localPort} ${entry} ${firstPort(rule)}`;
    client.write('GET / HTTP/1.0\r\n\r\n');
    const { bytes } = await readAll(client);
    assert.equal(bytes.toString().split('\r\n\r\n').at(-1)?.trim(), told);
    client.end();
  }

  for (const mode of ['PPV1', 'PPV2'] as const) {
    test(`HAProxy reads ${mode}`, { skip: missing('haproxy') ?? false }, async (t) => {
      const place = await freePlace();
      const answer =
        'http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"';
      const bind = `bind ${written(place)} accept-proxy`;
      const probe = await freePlace();
      await haproxy(t, `frontend f\n  mode http\n  ${bind}\n  bind ${written(probe)}\n  ${answer}\n`, probe);
      await askThrough(t, place, mode, world.address());
      if (world.engine.capabilities().ipv6) await askThrough(t, place, mode, '::1');
    });

    test(`nginx reads ${mode}`, { skip: missing('nginx') ?? false }, async (t) => {
      const place = await freePlace();
      const facts = ['addr', 'port', 'server_addr', 'server_port'].map((name) => `$proxy_protocol_${name}`).join(' ');
      const probe = await freePlace();
      const servers = [
        `server { listen ${written(place)} proxy_protocol; return "${facts}"; }`,
        `server { listen ${written(probe)}; return ""; }`,
      ];
      await nginx(t, servers.join('\n'), probe);
      await askThrough(t, place, mode, world.address());
      if (world.engine.capabilities().ipv6) await askThrough(t, place, mode, '::1');
    });
  }
});

describe('we read theirs', () => {
  /** An origin that parses what comes first, and hands out what it found. */
  async function reader(t: TestContext, parse: (bytes: Uint8Array) => Parsed) {
    const found: { parsed: Parsed; payload: string }[] = [];
    const origin = await tcpOrigin(t, (socket) => {
      void readAll(socket).then(({ bytes }) => {
        const parsed = parse(bytes);
        const length = 'length' in parsed ? parsed.length : 0;
        found.push({ parsed, payload: bytes.subarray(length).toString() });
        socket.end('read');
      });
    });
    return { origin, found };
  }

  /** Sends a word to the oracle; gives what reached the reader as the header, payload checked. */
  async function throughOracle(
    t: TestContext,
    place: Place,
    { found, origin }: Awaited<ReturnType<typeof reader>>,
  ): Promise<[Parsed | undefined, Place]> {
    const before = found.length;
    const connected = origin.connections.length;
    const client = await tcpClient(t, place.address, place.port);
    const me = { address: `${client.localAddress}`, port: client.localPort ?? 0 };
    // order: HAProxy may drop a client that ends before the server is connected.
    await eventually(() => assert.ok(origin.connections.length > connected));
    client.end('word');
    assert.equal((await readAll(client)).bytes.toString(), 'read');
    assert.equal(found[before]?.payload, 'word');
    return [found[before]?.parsed, me];
  }

  function named(parsed: Parsed | undefined, client: Place, entry: Place): void {
    assert.ok(parsed?.kind === 'proxied', JSON.stringify(parsed));
    assert.deepEqual([parsed.protocol, parsed.client, parsed.entry], ['TCP', client, entry]);
  }

  const listen = (place: Place, origin: TcpOrigin, how: string): string =>
    `listen l${place.port}\n  mode tcp\n  bind ${written(place)}\n  server s ${written(origin)} ${how}\n`;

  for (const [how, parse] of [
    ['send-proxy', parsePpv1],
    ['send-proxy-v2', parsePpv2],
    ['send-proxy-v2 proxy-v2-options crc32c,unique-id', parsePpv2],
  ] as const) {
    test(`HAProxy's ${how}`, { skip: missing('haproxy') ?? false }, async (t) => {
      const read = await reader(t, parse);
      const [v4, v6, probe] = [await freePlace(), await freePlace('::1'), await freePlace()];
      const sections = [listen(v4, read.origin, how), listen(v6, read.origin, how)];
      const idle = `listen probe\n  mode tcp\n  bind ${written(probe)}\n`;
      await haproxy(t, sections.join('') + idle, probe);
      for (const place of [v4, v6]) {
        const [parsed, me] = await throughOracle(t, place, read);
        named(parsed, me, place);
      }
    });
  }

  test(
    "HAProxy's health check names nobody, and so does a client on a Unix socket",
    { skip: missing('haproxy') ?? false },
    async (t) => {
      const dir = await mkdtemp(join(tmpdir(), 'edgefour-unix-'));
      t.after(() => rm(dir, { recursive: true }));
      for (const [how, parse, ofCheck] of [
        // Version 1 cannot say that it is a check; HAProxy names itself.
        ['send-proxy', parsePpv1, 'proxied'],
        ['send-proxy-v2', parsePpv2, 'unnamed'],
      ] as const) {
        const read = await reader(t, parse);
        const [place, probe] = [await freePlace(), await freePlace()];
        const path = join(dir, `${how}.sock`);
        const checked = listen(place, read.origin, `${how} check-send-proxy check inter 100`);
        const local = `listen local\n  mode tcp\n  bind ${path}\n  server s ${written(read.origin)} ${how}\n`;
        const idle = `listen probe\n  mode tcp\n  bind ${written(probe)}\n`;
        await haproxy(t, checked + local + idle, probe);
        await eventually(async () => {
          // More than once where need be: HAProxy may drop a client that ends before the server is connected.
          await readAll(connect(path).end('word'));
          const kindOf = (word: string): string | undefined =>
            read.found.find(({ payload }) => payload === word)?.parsed.kind;
          assert.deepEqual([kindOf('word'), kindOf('')], ['unnamed', ofCheck]);
        });
      }
    },
  );

  test("nginx's proxy_protocol", { skip: missing('nginx') ?? false }, async (t) => {
    const read = await reader(t, parsePpv1);
    const [v4, v6, probe] = [await freePlace(), await freePlace('::1'), await freePlace()];
    const servers = [v4, v6].map(
      (place) =>
        `server { listen ${written(place)}; proxy_pass ${written(read.origin)}; proxy_protocol on; proxy_half_close on; }`,
    );
    await nginx(t, [...servers, `server { listen ${written(probe)}; return ""; }`].join('\n'), probe);
    for (const place of [v4, v6]) {
      const [parsed, me] = await throughOracle(t, place, read);
      named(parsed, me, place);
    }
  });
});
