/** What happens when a worker dies: its connections are reset, its sockets and rules are taken up by the next one. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { oneWorker } from './one-worker.ts';
import { workerRule } from '../suites/engine/listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';

const missing = await whyUnavailable();

test('a worker that dies is replaced; while it is, connections wait', { skip: missing ?? false }, async (t) => {
  // order: only here, because on a machine without koffi these cannot be loaded.
  const { newRow, sumRows } = await import('../../src/engines/uring/worker/counters.ts');
  const { openPoint } = await import('../../src/engines/uring/host/listening-sockets.ts');
  const origin = await tcpOrigin(t);
  const address = loopback();
  const port = await freePort(address);
  const fds = openPoint({ protocol: 'TCP', address, port, key: 'tcp' }, 1, undefined);
  assert.ok(typeof fds !== 'string', String(fds));
  const events: string[] = [];
  const worker = await oneWorker(t, events, (line) => events.push(line));
  const row = newRow();
  await worker.command({
    kind: 'apply',
    rule: workerRule(origin.address, [{ fd: fds[0]?.[0] ?? -1, address, port, originPort: origin.port }], row),
  });
  const client = await tcpClient(t, address, port);
  assert.equal(await ask(client, 'one'), 'one');
  const lost = readAll(client);
  const waiting = worker.command({ kind: 'nonsense' } as never);
  assert.equal((await lost).end, 'reset');
  // It is accepted by the kernel while nobody is in the worker.
  const patient = connect(port, address);
  t.after(() => patient.destroy());
  patient.write('two');
  assert.equal(String((await once(patient, 'data'))[0]), 'two');
  await waiting;
  await eventually(() => assert.equal(events.at(-1), 'back'));
  assert.deepEqual(events.slice(-2), ['died', 'back']);
  assert.ok(events[0]?.startsWith('error a relay worker failed'));
  assert.equal(worker.lives, 2);
  const records: ConnectionRecord[] = [];
  patient.end();
  await eventually(() => {
    records.push(...worker.takeRecords(() => ({ id: 'r', proxy: 'p' })));
    assert.equal(records.length, 1);
  });
  // A reader of counters may be one event behind.
  await eventually(() => {
    const { connections, active, ends, unrecorded } = sumRows([row]);
    assert.deepEqual(
      { connections, active, ends, unrecorded },
      { connections: 2, active: 0, ends: { error: 1, 'client-closed': 1 }, unrecorded: { sampled: 0, lost: 1 } },
    );
  });
});
