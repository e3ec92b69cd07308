/**
 * T2 at length: an engine in a process of its own between a writer that never rests and a reader that is slow and stops
 * altogether now and then, in both directions at once. Nothing may be lost, and the process may not grow: what the reader
 * does not take must stay with the writer. Called with little by a test and with 1 GiB by `npm run slow`.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { edgeProcess, freeRule, type EdgeShape } from './edge.ts';
import { entryOf, leadsTo, options } from './listener.ts';
import { ask, tcpClient, tcpOrigin } from './tcp-peers.ts';

const MiB = 1_048_576;
const CHUNK = 65_536;
const STALLS = 8;
/**
 * limit: 64 MiB is asked of the whole process, for both streams together. io_uring needs almost nothing; V8 collects memory
 * outside its heap in steps of 64 MiB, so that the node engine comes close to it, and past it on an unlucky day.
 */
const MOST_GROWTH = { uring: 32 * MiB, node: 96 * MiB };

interface Course {
  readonly engine: NonNullable<EdgeShape['engine']>;
  /** Each way. */
  readonly mebibytes: number;
  readonly mebibytesPerSecond: number;
  readonly stallMs: number;
}

export async function slowReaders(t: TestContext, course: Course): Promise<void> {
  const { engine, mebibytes } = course;
  const accepted = Promise.withResolvers<Socket>();
  const origin = await tcpOrigin(t, (socket) => {
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      socket.write(chunk);
      accepted.resolve(socket);
    });
  });
  const rule = await freeRule({ ...leadsTo(origin), options: options({ idleSeconds: 600 }) });
  const status = await edgeProcess(t, [rule], { engine });
  const client = await tcpClient(t, ...entryOf(rule));
  await ask(client, 'x');
  client.pause();
  const server = await accepted.promise;
  const before = await status('settle');
  const [down, up] = await Promise.all([carry(server, client, course), carry(client, server, course)]);
  const { peak, cpu } = await status();
  const grown = peak - before.memory;
  t.diagnostic(
    `${engine}: ${mebibytes} MiB each way in ${Math.max(down, up).toFixed(0)} s; the process grew by ` +
      `${(grown / MiB).toFixed(1)} MiB at most, and had ${((cpu - before.cpu) / 1e6).toFixed(2)} s of CPU`,
  );
  assert.ok(grown < MOST_GROWTH[engine], `grew by ${(grown / MiB).toFixed(1)} MiB`);
}

/** Seconds until all was read. */
async function carry(from: Socket, to: Socket, { mebibytes, mebibytesPerSecond, stallMs }: Course): Promise<number> {
  const size = mebibytes * MiB;
  const written = write(from, size);
  const hash = createHash('sha256');
  const began = performance.now();
  let stalled = 0;
  let read = 0;
  // Read to its end it is still written to.
  for await (const part of to.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    hash.update(part);
    read += part.length;
    if (read > (size * (stalled + 1)) / (STALLS + 1) && stalled < STALLS) {
      stalled++;
      await sleep(stallMs);
    }
    const early = began + (read / MiB / mebibytesPerSecond) * 1000 + stalled * stallMs - performance.now();
    if (early > 10) await sleep(early);
  }
  assert.equal(read, size);
  assert.equal(hash.digest('hex'), await written);
  return (performance.now() - began) / 1000;
}

/** As fast as it is taken; then ends. Gives the hash of what was written. */
async function write(to: Socket, size: number): Promise<string> {
  const hash = createHash('sha256');
  const noise = randomBytes(CHUNK);
  for (let left = size; left > 0; left -= CHUNK) {
    // No two alike, so one that is lost, doubled or moved shows.
    const chunk = Buffer.from(noise);
    chunk.writeDoubleBE(left);
    hash.update(chunk);
    if (!to.write(chunk)) await once(to, 'drain');
  }
  to.end();
  return hash.digest('hex');
}
