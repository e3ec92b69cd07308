/** The client's address at the origin, by each mode that the engine claims, over IPv4 and IPv6. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Listener } from '../../../src/engines/engine.ts';
import { MODES, type Mode, type Protocol } from '../../../src/domain/l4-rule/modes.ts';
import { PASS_THROUGH } from '../../../src/engines/pass-through/index.ts';
import { parsePpv1, parsePpv2, parseSpp, type Parsed } from '../pass-through-parse.ts';
import { engineWorld, freePort, type EngineUnderTest, type EngineWorld } from './fixture.ts';
import { entryOf, firstPort, leadsTo, options } from './listener.ts';
import { readAll, tcpClient, tcpOrigin } from './tcp-peers.ts';
import { udpEcho, udpPeer, type UdpPeer } from './udp-peers.ts';

const PARSERS: Partial<Record<Mode, (bytes: Uint8Array) => Parsed>> = {
  PPV1: parsePpv1,
  PPV2: parsePpv2,
  SPP: parseSpp,
};

export function announceCases(under: EngineUnderTest): void {
  describe("client's address", { concurrency: 4 }, () => {
    const world = engineWorld(under);

    for (const mode of ['PPV1', 'PPV2'] as const) {
      test(`${mode} over TCP: the first bytes to the origin, whoever speaks first`, async (t) => {
        if (!claims(world, mode, 'TCP')) return t.skip(`the engine does not claim ${mode}`);
        const heard: Promise<Buffer>[] = [];
        const origin = await tcpOrigin(t, (socket) => {
          heard.push(readAll(socket).then(({ bytes }) => bytes));
          socket.end('origin speaks');
        });
        const rule = await world.up(await world.rule({ ...leadsTo(origin), mode }));
        for (const words of ['client speaks', '']) {
          const client = await tcpClient(t, ...entryOf(rule), world.address());
          const told = { client: { address: `${client.localAddress}`, port: client.localPort }, entry: entry(rule) };
          client.end(words);
          assert.equal(String((await readAll(client)).bytes), 'origin speaks');
          const bytes = await heard.at(-1);
          assert.ok(bytes);
          const parsed = PARSERS[mode]?.(bytes);
          assert.ok(parsed?.kind === 'proxied');
          assert.deepEqual([parsed.protocol, parsed.client, parsed.entry], ['TCP', told.client, told.entry]);
          assert.equal(String(bytes.subarray(parsed.length)), words);
        }
        // The header is not payload.
        const counted = (await world.ended(rule.id, 2)).map(({ bytesIn }) => bytesIn).toSorted((a, b) => a - b);
        assert.deepEqual(counted, [0, 'client speaks'.length]);
      });
    }

    test('PPV2 over UDP: on the first datagram of a session only, and again on the first of the next', async (t) => {
      if (!claims(world, 'PPV2', 'UDP')) return t.skip('the engine does not claim PPV2');
      const origin = await udpEcho(t);
      const idle = options({ idleSeconds: 5 });
      const rule = await world.up(
        await world.rule({ ...leadsTo(origin), protocol: 'UDP', mode: 'PPV2', options: idle }),
      );
      const client = await udpPeer(t);
      const send = async (words: string): Promise<Buffer> => {
        client.send(words, ...entryOf(rule));
        return origin.datagram(origin.got.length);
      };
      const told = ['UDP', { address: client.address, port: client.port }, entry(rule)];
      const first = await send('one');
      const parsed = parsePpv2(first);
      assert.ok(parsed.kind === 'proxied');
      assert.deepEqual([parsed.protocol, parsed.client, parsed.entry], told);
      assert.equal(String(first.subarray(parsed.length)), 'one');
      assert.equal(String(await send('two')), 'two');
      // Replies are the origin's own bytes, uncut.
      assert.deepEqual([await client.datagram(0), String(await client.datagram(1))], [first, 'two']);
      await world.ended(rule.id);
      assert.equal(parsePpv2(await send('three')).kind, 'proxied');
    });

    test('PPV2 over UDP: on each datagram where the rule says so, and replies stay whole', async (t) => {
      if (!claims(world, 'PPV2', 'UDP')) return t.skip('the engine does not claim PPV2 over UDP');
      const origin = await udpEcho(t);
      const rule = await world.rule({ ...leadsTo(origin), protocol: 'UDP', mode: 'PPV2' });
      const client = await udpPeer(t);
      let sent = 0;
      const isHeaded = async (): Promise<boolean> => {
        client.send('word', ...entryOf(rule));
        const bytes = await origin.datagram(sent);
        assert.deepEqual(await client.datagram(sent++), bytes);
        const parsed = parsePpv2(bytes);
        const headed = parsed.kind === 'proxied';
        assert.equal(String(headed ? bytes.subarray(parsed.length) : bytes), 'word');
        if (headed) assert.deepEqual(parsed.client, { address: client.address, port: client.port });
        return headed;
      };
      await world.up({ ...rule, options: options({ udpHeader: 'each' }) });
      assert.deepEqual([await isHeaded(), await isHeaded(), await isHeaded()], [true, true, true]);
      // A session of the other kind begins with the change.
      await world.up(rule);
      assert.deepEqual([await isHeaded(), await isHeaded()], [true, false]);
      await world.up({ ...rule, options: options({ udpHeader: 'each' }) });
      assert.deepEqual([await isHeaded(), await isHeaded()], [true, true]);
    });

    test('SPP: 38 bytes on each datagram, 38 bytes off each reply; shorter replies are dropped and counted', async (t) => {
      if (!claims(world, 'SPP', 'UDP')) return t.skip('the engine does not claim SPP');
      const replies: ((header: Buffer) => Buffer)[] = [
        (header) => header,
        (header) => header.subarray(1),
        (header) => Buffer.concat([header, Buffer.from('answer')]),
      ];
      const origin = await udpPeer(t, {}, (datagram) => replies.shift()?.(datagram.subarray(0, 38)));
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP', mode: 'SPP' }));
      const client = await udpPeer(t);
      for (const [i, words] of ['one', '', 'three'].entries()) {
        client.send(words, ...entryOf(rule));
        const bytes = await origin.datagram(i);
        const parsed = parseSpp(bytes);
        assert.ok(parsed.kind === 'proxied');
        assert.deepEqual([parsed.client, parsed.entry], [{ address: client.address, port: client.port }, entry(rule)]);
        assert.equal(String(bytes.subarray(38)), words);
      }
      await client.datagram(1);
      assert.deepEqual(
        client.got.map(({ bytes }) => String(bytes)),
        ['', 'answer'],
      );
      const { dropped, bytesIn, bytesOut } = await world.counters(rule.id);
      assert.deepEqual([dropped, bytesIn, bytesOut], [{ short: 1 }, 8, 6]);
    });

    test("SPP: a reply without its session's header is dropped and counted", async (t) => {
      if (!claims(world, 'SPP', 'UDP')) return t.skip('the engine does not claim SPP');
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP', mode: 'SPP' }));
      const [client, stranger] = [await udpPeer(t), await udpPeer(t)];
      client.send('question', ...entryOf(rule));
      stranger.send('question', ...entryOf(rule));
      await origin.datagram(1);
      const headerOf = ({ port }: UdpPeer): Buffer => {
        const datagram = origin.got.find(({ bytes }) => bytes.readUInt16BE(34) === port);
        return datagram!.bytes.subarray(0, 38);
      };
      const mine = headerOf(client);
      const from = origin.got.find(({ bytes }) => bytes.readUInt16BE(34) === client.port)!.from;
      const wrongMagic = Buffer.concat([Buffer.from([0x56, 0xed]), mine.subarray(2)]);
      for (const header of [wrongMagic, Buffer.alloc(38), headerOf(stranger), mine])
        origin.send(Buffer.concat([header, Buffer.from('answer')]), from.address, from.port);
      assert.equal(String(await client.datagram(0)), 'answer');
      const { dropped, packetsOut } = await world.counters(rule.id);
      assert.deepEqual([dropped, packetsOut, client.got.length], [{ header: 3 }, 1, 1]);
    });

    test('a datagram that does not fit with its header is dropped and counted, others pass', async (t) => {
      if (!claims(world, 'SPP', 'UDP')) return t.skip('the engine does not claim SPP');
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP', mode: 'SPP' }));
      const client = await udpPeer(t);
      for (const size of [65_507, 65_470, 65_469]) client.send(Buffer.alloc(size), ...entryOf(rule));
      assert.equal((await origin.datagram(0)).length, 65_507);
      const { dropped, packetsIn } = await world.counters(rule.id);
      assert.deepEqual([dropped, packetsIn], [{ oversize: 2 }, 1]);
    });

    test('a change of mode holds for the next datagram', async (t) => {
      if (!claims(world, 'SPP', 'UDP')) return t.skip('the engine does not claim SPP');
      const origin = await udpPeer(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), protocol: 'UDP' }));
      const client = await udpPeer(t);
      client.send('plain', ...entryOf(rule));
      assert.equal((await origin.datagram(0)).length, 5);
      await world.up({ ...rule, mode: 'SPP' });
      client.send('headed', ...entryOf(rule));
      assert.equal((await origin.datagram(1)).length, 44);
    });

    test('IPv6 entry to IPv4 origin, IPv4 entry to IPv6 origin, both protocols', async (t) => {
      const { ipv6, translates } = world.engine.capabilities();
      if (!ipv6) return t.skip('the engine has no IPv6 here');
      if (translates) return t.skip('the engine leads to origins of the same family only');
      for (const [entry, origin] of [
        ['::1', world.address()],
        [world.address(), '::1'],
      ] as const) {
        await overTcp(t, world, entry, origin);
        await overUdp(t, world, entry, origin);
      }
    });

    test('a mode that the engine does not claim is refused by name, and nothing listens', async (t) => {
      const missing = (Object.keys(MODES) as Mode[]).find((mode) => !world.engine.capabilities().modes.includes(mode));
      if (!missing) return t.skip('the engine claims every mode');
      const [protocol] = MODES[missing];
      const rule = await world.rule({ mode: missing, protocol });
      const applied = await world.engine.apply(rule);
      assert.ok(!applied.ok && applied.reason.includes(missing));
      await assert.rejects(tcpClient(t, ...entryOf(rule)));
    });
  });
}

async function overTcp(t: TestContext, world: EngineWorld, entryAddress: string, address: string): Promise<void> {
  const origin = await tcpOrigin(t, (socket) => socket.pipe(socket), { address });
  const mode = world.engine.capabilities().modes.includes('PPV2') ? 'PPV2' : 'OFF';
  const rule = await world.up(await world.rule({ ...leadsTo(origin), entries: [entryAddress], mode }));
  const client = await tcpClient(t, ...entryOf(rule));
  const told = { address: `${client.localAddress}`, port: client.localPort ?? 0 };
  client.end('words');
  const { bytes } = await readAll(client);
  const header = PASS_THROUGH[mode].announce('TCP', told, entry(rule));
  assert.deepEqual(bytes, Buffer.concat([header, Buffer.from('words')]));
  assert.deepEqual((await world.ended(rule.id))[0]?.client, told);
}

async function overUdp(t: TestContext, world: EngineWorld, entryAddress: string, address: string): Promise<void> {
  const origin = await udpEcho(t, { address });
  const mode = world.engine.capabilities().modes.includes('PPV2') ? 'PPV2' : 'OFF';
  const ports = await freePort(entryAddress).then((port) => [{ from: port, to: port }]);
  const change = { protocol: 'UDP', entries: [entryAddress], ports, mode } as const;
  const rule = await world.up(await world.rule({ ...leadsTo(origin), ...change }));
  const client = await udpPeer(t, entryAddress.includes(':') ? { address: '::1' } : {});
  client.send('words', ...entryOf(rule));
  const header = PASS_THROUGH[mode].announce('UDP', { address: client.address, port: client.port }, entry(rule));
  assert.deepEqual(await client.datagram(0), Buffer.concat([header, Buffer.from('words')]));
}

function claims(world: EngineWorld, mode: Mode, protocol: Protocol): boolean {
  const { modes, protocols } = world.engine.capabilities();
  return modes.includes(mode) && protocols.includes(protocol);
}

function entry(rule: Listener): { address: string; port: number } {
  return { address: rule.entries[0] ?? '', port: firstPort(rule) };
}
