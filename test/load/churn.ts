/**
 * T4 at its full size (`npm run churn`): 10,000 short connections, ended in every way there is, through an engine in a
 * process of its own, for both engines that have processes. Descriptors and memory must be where they were. A minute.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { edgeProcess, freeRule, type EdgeShape } from '../suites/engine/edge.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { entryOf, leadsTo } from '../suites/engine/listener.ts';
import { ask, echo, readAll, repeat, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';

const MiB = 1_048_576;
const CONNECTIONS = 10_000;
/** limit: what the test grants for pipes and buffers of a peak to be given back. */
const REST_MS = 30_000;

async function churn(t: TestContext, engine: NonNullable<EdgeShape['engine']>): Promise<void> {
  const origin = await tcpOrigin(t, (socket) => {
    echo(socket);
    socket.on('data', (chunk: Buffer) => chunk.toString() === 'reset me' && socket.resetAndDestroy());
    socket.once('close', () => origin.connections.splice(origin.connections.indexOf(socket), 1));
  });
  const rule = await freeRule(leadsTo(origin));
  const status = await edgeProcess(t, [rule], { engine });
  const round = (count: number): Promise<void> =>
    repeat(count, 20, async (i) => {
      const client = await tcpClient(t, ...entryOf(rule));
      if (i % 4 === 0) return void (await readAll(client.end('reset me')));
      await ask(client, 'x');
      if (i % 4 === 1) client.resetAndDestroy();
      else if (i % 4 === 2) client.destroy();
      else await once(client.end(), 'close');
    });
  const ended = (count: number): Promise<void> =>
    eventually(async () => {
      const { connections, active } = (await status()).counters[rule.id] ?? assert.fail('no counters');
      assert.deepEqual([connections, active], [count, 0]);
    });
  // Warm: code compiled, heap grown to its working size.
  await round(CONNECTIONS);
  await ended(CONNECTIONS);
  const before = await status('settle');
  const began = performance.now();
  await round(CONNECTIONS);
  const seconds = (performance.now() - began) / 1000;
  await ended(2 * CONNECTIONS);
  const after = await eventually(async () => {
    const now = await status('settle');
    const open = (now.descriptors ?? 0) - (before.descriptors ?? 0);
    assert.ok(Math.abs(open) <= 5, `${open} descriptors more`);
    assert.ok(now.memory <= before.memory * 1.1, `${before.memory} → ${now.memory} bytes`);
    return now;
  }, REST_MS);
  const mebibytes = (bytes: number): string => (bytes / MiB).toFixed(1);
  t.diagnostic(
    `${engine}: ${CONNECTIONS} in ${seconds.toFixed(0)} s, ${((after.cpu - before.cpu) / CONNECTIONS).toFixed(0)} µs of CPU each; ` +
      `descriptors ${before.descriptors} → ${after.descriptors}, memory ${mebibytes(before.memory)} → ${mebibytes(after.memory)} MiB, ` +
      `heap ${mebibytes(before.heap)} → ${mebibytes(after.heap)} MiB`,
  );
}

const skip = { node: false, uring: (await whyUnavailable()) ?? false };

for (const engine of ['node', 'uring'] as const)
  test(`${engine}: 10,000 short connections leave no descriptor and no memory behind`, { skip: skip[engine] }, (t) =>
    churn(t, engine),
  );
