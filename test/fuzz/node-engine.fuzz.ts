/** The node engine for long, in a process of its own: what is lost, what stays behind, what it costs. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { edgeProcess, freeRule } from '../suites/engine/edge.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo } from '../suites/engine/listener.ts';
import { ask, readAll, repeat, tcpClient, tcpOrigin, type Received } from '../suites/engine/tcp-peers.ts';

const MiB = 1_048_576;

test('1,000 half-closes each way lose no byte', async (t) => {
  const half = randomBytes(100_000);
  const isWhole = ({ bytes, end }: Received): boolean => end === 'fin' && bytes.equals(half);
  const heard: boolean[] = [];
  const listening = await tcpOrigin(t, (socket) => {
    void readAll(socket).then((received) => heard.push(isWhole(received)) && socket.end(half));
  });
  const speaking = await tcpOrigin(t, (socket) => {
    socket.end(half);
    void readAll(socket).then((received) => heard.push(isWhole(received)));
  });
  const [clientFirst, originFirst] = [await freeRule(leadsTo(listening)), await freeRule(leadsTo(speaking))];
  await edgeProcess(t, [clientFirst, { ...originFirst, id: 'origin-first' }]);
  await repeat(1000, 10, async () => {
    const client = await tcpClient(t, ...entryOf(clientFirst));
    client.end(half);
    assert.ok(isWhole(await readAll(client)));
  });
  await repeat(1000, 10, async () => {
    const client = await tcpClient(t, ...entryOf(originFirst));
    assert.ok(isWhole(await readAll(client)));
    client.end(half);
  });
  await eventually(() => assert.equal(heard.length, 2000));
  assert.ok(heard.every(Boolean));
});

test('1 GiB to a slow reader: every byte arrives, and memory stays flat', async (t) => {
  const chunk = randomBytes(MiB);
  const sent = createHash('sha256');
  const origin = await tcpOrigin(t, (socket) => {
    let left = 1024;
    const more = (): void => {
      while (left-- > 0) {
        sent.update(chunk);
        if (!socket.write(chunk)) return void socket.once('drain', more);
      }
      socket.end();
    };
    more();
  });
  const rule = await freeRule(leadsTo(origin));
  const status = await edgeProcess(t, [rule]);
  const client = await tcpClient(t, ...entryOf(rule));
  const before = (await status()).memory;
  let peak = before;
  const got = createHash('sha256');
  let bytes = 0;
  for await (const part of client as AsyncIterable<Buffer>) {
    got.update(part);
    const looks = Math.floor((bytes + part.length) / (8 * MiB)) > Math.floor(bytes / (8 * MiB));
    bytes += part.length;
    if (!looks) continue;
    // About 200 MB/s.
    await sleep(40);
    peak = Math.max(peak, (await status()).memory);
  }
  assert.equal(bytes, 1024 * MiB);
  assert.equal(got.digest('hex'), sent.digest('hex'));
  const { cpu } = await status();
  t.diagnostic(
    `memory grew by ${((peak - before) / MiB).toFixed(1)} MiB; ${(cpu / 1e6).toFixed(2)} s of CPU for 1 GiB`,
  );
  // limit: V8 collects memory outside its heap in steps of 64 MiB; twice that is bounded, 1 GiB is not.
  assert.ok(peak - before < 128 * MiB);
});

test('10,000 short connections leave no descriptor and no memory behind', async (t) => {
  const origin = await tcpOrigin(t);
  const rule = await freeRule(leadsTo(origin));
  const status = await edgeProcess(t, [rule]);
  const round = (count: number): Promise<void> =>
    repeat(count, 20, async () => {
      const client = await tcpClient(t, ...entryOf(rule));
      await ask(client, 'x');
      client.end();
      await once(client, 'close');
    });
  // Warm: code compiled, heap grown to its working size.
  await round(5000);
  const before = await status('settle');
  await round(10_000);
  const after = await status('settle');
  const cost = (after.cpu - before.cpu) / 10_000;
  t.diagnostic(
    `${cost.toFixed(0)} µs of CPU per connection; heap ${(before.heap / MiB).toFixed(1)} → ${(after.heap / MiB).toFixed(1)} MiB`,
  );
  assert.ok((after.descriptors ?? 0) <= (before.descriptors ?? 0) + 5);
  assert.ok(after.heap < before.heap + 2 * MiB);
});
