/** TCP as every engine must carry it: whole, in both directions, ended the way the peers end it, and never hoarded. */
import assert from 'node:assert/strict';
import { createHash, randomBytes, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionRecord } from '../../../src/domain/fact/fact.ts';
import { engineWorld, eventually, type EngineUnderTest } from './fixture.ts';
import { entryOf, firstPort, leadsTo, options } from './listener.ts';
import { ask, echo, readAll, type Received, repeat, tcpClient, tcpOrigin } from './tcp-peers.ts';

const MiB = 1_048_576;

export function tcpCases(under: EngineUnderTest): void {
  describe('TCP', () => {
    const world = engineWorld(under);

    test('T6: bytes pass both ways, and the record tells who, where and how much', async (t) => {
      const origin = await tcpOrigin(t);
      const rule = await world.up(await world.rule(leadsTo(origin)));
      const from = world.address();
      const client = await tcpClient(t, ...entryOf(rule), from);
      const port = client.localPort;
      assert.equal(await ask(client, 'hello'), 'hello');
      assert.equal(await ask(client, 'again!'), 'again!');
      await world.active(rule.id, 1);
      client.end();
      const [record] = await world.ended(rule.id);
      assert.ok(record && record.startedAt <= record.at && record.at - record.startedAt < 10_000);
      assert.deepEqual(record, {
        id: record.id,
        startedAt: record.startedAt,
        at: record.at,
        rule: rule.id,
        proxy: rule.proxy,
        protocol: 'TCP',
        client: { address: from, port },
        entry: { address: rule.entries[0], port: firstPort(rule) },
        origin: { address: origin.address, port: origin.port },
        bytesIn: record.bytesIn,
        bytesOut: record.bytesOut,
        end: 'client-closed',
      });
      await world.active(rule.id, 0);
      const counters = await world.counters(rule.id);
      assert.equal(counters.connections, 1);
      assert.deepEqual([counters.bytesIn, counters.bytesOut], [record.bytesIn, record.bytesOut]);
      if (world.engine.capabilities().translates) assert.ok(record.bytesIn > 11 && record.bytesOut > 11);
      else assert.deepEqual([record.bytesIn, record.bytesOut], [11, 11]);
      assert.deepEqual(counters.ends, { 'client-closed': 1 });
      assert.ok(counters.packetsIn >= 2 && counters.packetsOut >= 2);
    });

    /** What one connection says: no other says the same, so nothing can be taken for another's. */
    const speech = (): Buffer => randomBytes(70_000);
    const isWhole = (records: readonly ConnectionRecord[]): boolean =>
      records.every(({ bytesIn, bytesOut }) =>
        world.engine.capabilities().translates ? bytesIn + bytesOut > 140_000 : bytesIn + bytesOut === 140_000,
      );

    test('T1: an end passes on and leaves the other direction open: client first, 1,000 times', async (t) => {
      const origin = await tcpOrigin(t, (socket) => {
        // Nothing comes back before the client has ended, and then all that it said, from its end.
        void readAll(socket).then(({ bytes, end }) => end === 'fin' && socket.end(bytes.reverse()));
      });
      const rule = await world.up(await world.rule(leadsTo(origin)));
      await repeat(1000, 20, async () => {
        const client = await tcpClient(t, ...entryOf(rule));
        const said = speech();
        client.end(said);
        const { bytes, end } = await readAll(client);
        assert.equal(end, 'fin');
        assert.ok(bytes.reverse().equals(said));
      });
      const records = await world.ended(rule.id, 1000);
      assert.deepEqual((await world.counters(rule.id)).ends, { 'client-closed': 1000 });
      assert.ok(isWhole(records));
    });

    test('T1: an end passes on and leaves the other direction open: origin first, 1,000 times', async (t) => {
      const heard: Promise<boolean>[] = [];
      const origin = await tcpOrigin(t, (socket) => {
        const said = speech();
        socket.end(said);
        heard.push(readAll(socket).then(({ bytes, end }) => end === 'fin' && bytes.reverse().equals(said)));
      });
      const rule = await world.up(await world.rule(leadsTo(origin)));
      await repeat(1000, 20, async () => {
        const client = await tcpClient(t, ...entryOf(rule));
        const { bytes, end } = await readAll(client);
        assert.equal(end, 'fin');
        client.end(bytes.reverse());
      });
      assert.deepEqual(await Promise.all(heard), Array(1000).fill(true));
      const records = await world.ended(rule.id, 1000);
      assert.deepEqual((await world.counters(rule.id)).ends, { 'origin-closed': 1000 });
      assert.ok(isWhole(records));
    });

    test('what was sent before the end arrives, however soon the end follows', async (t) => {
      const heard: Promise<Buffer>[] = [];
      const origin = await tcpOrigin(t, (socket) => {
        heard.push(readAll(socket).then(({ bytes }) => bytes));
        socket.end();
      });
      const rule = await world.up(await world.rule(leadsTo(origin)));
      await repeat(50, 10, async (i) => {
        const client = await tcpClient(t, ...entryOf(rule));
        client.end(`message ${i}`);
        await once(client.resume(), 'close');
      });
      const texts = (await Promise.all(heard)).map(String).toSorted();
      assert.deepEqual(texts, Array.from({ length: 50 }, (_, i) => `message ${i}`).toSorted());
    });

    test("a client's reset reaches the origin as a reset", async (t) => {
      const ends: string[] = [];
      const origin = await tcpOrigin(t, (socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
        echo(socket);
      });
      const rule = await world.up(await world.rule(leadsTo(origin)));
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'x');
      client.resetAndDestroy();
      await eventually(() => assert.deepEqual(ends, ['ECONNRESET']));
      assert.deepEqual((await world.ended(rule.id))[0]?.end, 'client-reset');
    });

    test("an origin's reset reaches the client as a reset", async (t) => {
      const origin = await tcpOrigin(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
      const rule = await world.up(await world.rule(leadsTo(origin)));
      const client = await tcpClient(t, ...entryOf(rule));
      client.write('x');
      assert.equal((await readAll(client)).end, 'reset');
      assert.deepEqual((await world.ended(rule.id))[0]?.end, 'origin-reset');
    });

    /** Reads a little now and then; resolves with all that came, and how it ended. */
    async function readSlowly(socket: Socket): Promise<Received> {
      const chunks: Buffer[] = [];
      const ended = new Promise<Received['end']>((resolve) => {
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.on('end', () => resolve('fin'));
        socket.on('error', () => resolve('reset'));
      });
      for (let i = 0; i < 6; i++) {
        socket.pause();
        await sleep(60);
        socket.resume();
        await sleep(1);
      }
      const end = await ended;
      // A reset that came while it was paused leaves what node:net had read already.
      for (let rest = socket.read() as Buffer | null; rest; rest = socket.read() as Buffer | null) chunks.push(rest);
      return { bytes: Buffer.concat(chunks), end };
    }

    for (const who of ['origin', 'client'] as const)
      test(`what came before the ${who}'s reset is delivered first, then the reset`, async (t) => {
        if (world.engine.capabilities().translates) return t.skip('bytes pass from one system to the other');
        const said = randomBytes(200_000);
        const accepted = Promise.withResolvers<Socket>();
        const origin = await tcpOrigin(t, (socket) => {
          socket.pause();
          accepted.resolve(socket);
        });
        const rule = await world.up(await world.rule(leadsTo(origin)));
        const client = await tcpClient(t, ...entryOf(rule));
        client.pause();
        const far = await accepted.promise;
        const [talker, reader] = who === 'origin' ? [far, client] : [client, far];
        await new Promise((resolve) => talker.write(said, resolve));
        // Until the relay has it all: what the talker's own system holds goes with its reset, as without a relay.
        await eventually(async () => {
          const { bytesIn, bytesOut } = await world.counters(rule.id);
          assert.equal(bytesIn + bytesOut, said.length);
        });
        talker.resetAndDestroy();
        const { bytes, end } = await readSlowly(reader);
        assert.equal(bytes.length, said.length);
        assert.ok(bytes.equals(said));
        assert.equal(end, 'reset');
        assert.equal((await world.ended(rule.id))[0]?.end, `${who}-reset`);
      });

    test('T2: a slow reader stops the writer; what waits in between is bounded, and nothing is lost', async (t) => {
      const bound = kernelBuffers() + 4 * MiB;
      const size = Math.ceil((bound + 16 * MiB) / 65_536) * 65_536;
      const sent = createHash('sha256');
      const origin = await tcpOrigin(t, (socket) => writeMuch(socket, size, sent));
      const rule = await world.up(await world.rule(leadsTo(origin)));
      const client = await tcpClient(t, ...entryOf(rule));
      client.pause();
      const stalled = await standsStill(() => origin.connections[0]?.bytesWritten ?? 0);
      assert.ok(stalled < bound, `${stalled} bytes were taken with nobody reading; bound ${bound}`);
      const got = createHash('sha256');
      client.on('data', (chunk: Buffer) => got.update(chunk)).resume();
      await once(client, 'end');
      assert.equal(client.bytesRead, size);
      assert.equal(got.digest('hex'), sent.digest('hex'));
      client.end();
    });

    test('a client that resets while nothing moves either way takes its origin along', async (t) => {
      const ends: string[] = [];
      const origin = await tcpOrigin(t, (socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''));
        // It reads no more than it can write, and nobody reads what it writes.
        echo(socket);
      });
      const rule = await world.up(await world.rule(leadsTo(origin)));
      const client = await tcpClient(t, ...entryOf(rule));
      client.pause();
      let blocked = 0;
      client.write(randomBytes(32 * MiB), () => {});
      // Until the client's own queue stands still.
      for (let before = -1; blocked < 3;) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        blocked = before === client.bytesWritten - client.writableLength ? blocked + 1 : 0;
        before = client.bytesWritten - client.writableLength;
      }
      client.resetAndDestroy();
      await eventually(() => assert.equal(ends.length, 1), 20_000);
      assert.match(ends[0] ?? '', /ECONNRESET|EPIPE/);
      await world.active(rule.id, 0);
    });

    test('an idle time that is changed holds for connections that are open', async (t) => {
      const origin = await tcpOrigin(t);
      const short = await world.rule({ ...leadsTo(origin), options: options({ idleSeconds: 4 }) });
      const long = await world.rule({ ...leadsTo(origin) });
      const [lives, ends] = await Promise.all(
        [short, long].map(async (rule) => {
          await world.up(rule);
          const client = await tcpClient(t, ...entryOf(rule));
          await ask(client, 'x');
          return client;
        }),
      );
      assert.ok(lives && ends);
      const ended = readAll(ends);
      await world.up({ ...short, options: options() });
      await world.up({ ...long, options: options({ idleSeconds: 1 }) });
      await ended;
      assert.equal((await world.ended(long.id))[0]?.end, 'idle');
      await new Promise((resolve) => setTimeout(resolve, 5000));
      assert.equal(await ask(lives, 'still here'), 'still here');
    });

    test('both sides of a connection ask a silent peer after a minute whether it is there', async (t) => {
      if (process.platform !== 'linux' || world.engine.capabilities().translates)
        return t.skip('no sockets of its own, or no /proc to see them in');
      const origin = await tcpOrigin(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin) }));
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'x');
      // What is under way first has a timer of its own.
      await eventually(() => {
        const ends = [
          establishedTimers('local', entryOf(rule)),
          establishedTimers('remote', [origin.address, origin.port]),
        ];
        for (const [timer] of ends) assert.ok(timer?.kind === 2 && timer.hundredths <= 6000, JSON.stringify(ends));
      });
    });

    test('a connection without a byte either way ends as idle', async (t) => {
      const origin = await tcpOrigin(t);
      const rule = await world.up(await world.rule({ ...leadsTo(origin), options: options({ idleSeconds: 3 }) }));
      const client = await tcpClient(t, ...entryOf(rule));
      const ended = readAll(client);
      const before = performance.now();
      await ask(client, 'x');
      await ended;
      const waited = performance.now() - before;
      assert.ok(waited > 3000 && waited < 30_000, `${waited} ms`);
      assert.deepEqual((await world.ended(rule.id))[0]?.end, 'idle');
    });

    test('T4, T6: short connections leave nothing behind but a record each, of the right addresses', async (t) => {
      const origin = await tcpOrigin(t, (socket) => {
        echo(socket);
        socket.on('data', (chunk: Buffer) => chunk.toString() === 'reset me' && socket.resetAndDestroy());
      });
      const rule = await world.up(await world.rule(leadsTo(origin)));
      const open = descriptors();
      if (open === undefined) return t.skip('this system does not show a process its descriptors');
      const clients: string[] = [];
      await repeat(400, 20, async (i) => {
        const client = await tcpClient(t, ...entryOf(rule));
        clients.push(`${client.localAddress}:${client.localPort}`);
        if (i % 4 === 0) return void (await readAll(client.end('reset me')));
        await ask(client, 'x');
        if (i % 4 === 1) client.resetAndDestroy();
        else if (i % 4 === 2) client.destroy();
        else client.end();
      });
      const records = await world.ended(rule.id, 400);
      assert.deepEqual(records.map(({ client }) => `${client.address}:${client.port}`).toSorted(), clients.toSorted());
      assert.deepEqual(
        [...new Set(records.map((record) => record.origin && `${record.origin.address}:${record.origin.port}`))],
        [`${origin.address}:${origin.port}`],
      );
      await eventually(() =>
        assert.ok((descriptors() ?? 0) <= open + 5, `${descriptors()} descriptors, ${open} before`),
      );
      await world.active(rule.id, 0);
    });
  });
}

/** Sends `size` bytes as fast as they are taken, then ends; hashes what it sends. */
function writeMuch(socket: Socket, size: number, sent: Hash): void {
  const chunk = randomBytes(65_536);
  let left = size;
  const more = (): void => {
    while (left > 0) {
      left -= chunk.length;
      chunk.writeUInt32BE(left % 0xffff_ffff);
      sent.update(chunk);
      if (!socket.write(Buffer.from(chunk))) return void socket.once('drain', more);
    }
    socket.end();
  };
  more();
}

/** The value once it has not moved for a while. */
async function standsStill(read: () => number): Promise<number> {
  let last = -1;
  let since = performance.now();
  await eventually(() => {
    const now = read();
    if (now !== last) since = performance.now();
    last = now;
    assert.ok(last > 0 && performance.now() - since > 300, `still moving at ${last}`);
  });
  return last;
}

/** What two loopback connections may hold in the system: a send and a receive buffer each, at their largest. */
function kernelBuffers(): number {
  const largest = (name: string): number => {
    const text = readFileSync(`/proc/sys/net/ipv4/${name}`, 'latin1');
    return Number(text.trim().split(/\s+/)[2]);
  };
  try {
    return 2 * (largest('tcp_rmem') + largest('tcp_wmem'));
  } catch {
    return 32 * MiB;
  }
}

function descriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

/** Of established IPv4 connections with this end: what the system waits for. */
function establishedTimers(end: 'local' | 'remote', [address, port]: readonly [string, number]): Timer[] {
  const reversed = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  const wanted = `${reversed.toReversed().join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote, state]) => state === '01' && (end === 'local' ? local : remote) === wanted)
    .map(([, , , , , timer = '']) => {
      const [kind = '', when = ''] = timer.split(':');
      return { kind: Number.parseInt(kind, 16), hundredths: Number.parseInt(when, 16) };
    });
}

interface Timer {
  /** 2 is keepalive. */
  readonly kind: number;
  readonly hundredths: number;
}
