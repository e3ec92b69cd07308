/** What the node engine does when descriptors run out: in a process of its own that has few. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { test, type TestContext } from 'node:test';
import { eventually, freePort, loopback } from '../../../../test/suites/engine/fixture.ts';
import { entryOf, leadsTo, listener, options } from '../../../../test/suites/engine/listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from '../../../../test/suites/engine/tcp-peers.ts';
import { udpEcho, udpPeer } from '../../../../test/suites/engine/udp-peers.ts';
import type { Listener } from '../../engine.ts';
import { descriptorLimit, openDescriptors } from './descriptors.ts';

interface Told {
  readonly ends: readonly string[];
  readonly logs: readonly string[];
}

/** An engine that may have `descriptors`; gives what it has recorded so far. */
async function edge(t: TestContext, descriptors: number, rules: readonly Listener[]): Promise<() => Promise<Told>> {
  const main = fileURLToPath(new URL('../../../../test/suites/engine/edge-process.ts', import.meta.url));
  const script = `ulimit -n ${descriptors} && exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', script, process.execPath, main, JSON.stringify(rules)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  assert.equal((await lines.next()).value, 'up');
  return async () => {
    child.stdin.write('tell\n');
    return JSON.parse(String((await lines.next()).value)) as Told;
  };
}

async function freeRule(change: Partial<Listener>): Promise<Listener> {
  const entry = loopback();
  const port = await freePort(entry);
  return listener({ entries: [entry], ports: [{ from: port, to: port }], ...change });
}

test('connections beyond the descriptors wait for their turn; only those beyond that are refused', async (t) => {
  const origin = await tcpOrigin(t);
  const rule = await freeRule({ ...leadsTo(origin), options: options({ connectTimeoutMs: 60_000 }) });
  const told = await edge(t, 90, [rule]);
  const clients = await Promise.all(Array.from({ length: 60 }, () => tcpClient(t, ...entryOf(rule))));
  const fates = clients.map(() => 'waits');
  const watch = (word: 'reset' | 'fin', i: number): void => void (fates[i] = fates[i] === 'served' ? 'served' : word);
  for (const [i, client] of clients.entries()) {
    void ask(client, 'x').then(
      () => (fates[i] = 'served'),
      () => {},
    );
    void readAll(client).then(({ end }) => watch(end, i));
  }
  const count = (fate: string): number => fates.filter((one) => one === fate).length;
  await eventually(async () => assert.equal((await told()).ends.length, count('reset')));
  // 90 less what the process itself has and the reserve, two for each connection; half of the reserve waits.
  await eventually(() => assert.deepEqual([count('waits'), count('fin')], [5, 0], fates.join(' ')));
  assert.ok(count('served') >= 10 && count('reset') > 0, fates.join(' '));
  assert.ok((await told()).ends.every((end) => end === 'limit'));
  await eventually(async () => assert.match((await told()).logs.join(), /out of descriptors/), 2000);

  // Those that are served go on, and as they end those that wait are served.
  const served = clients.filter((_, i) => fates[i] === 'served');
  assert.equal(await ask(served[0]!, 'still here'), 'still here');
  for (const client of served.slice(0, 5)) client.end();
  await eventually(() => assert.equal(count('waits'), 0, fates.join(' ')));
  assert.equal(count('served'), served.length + 5);
});

test('a client that waits too long is refused', async (t) => {
  const origin = await tcpOrigin(t);
  const rule = await freeRule({ ...leadsTo(origin), options: options({ connectTimeoutMs: 200 }) });
  const told = await edge(t, 90, [rule]);
  const clients = await Promise.all(Array.from({ length: 40 }, () => tcpClient(t, ...entryOf(rule))));
  const ended = clients.map((client) => readAll(client));
  await eventually(async () => assert.ok((await told()).ends.length >= 5));
  const { end } = await Promise.race(ended);
  assert.equal(end, 'reset');
  assert.ok((await told()).ends.every((end) => end === 'limit'));
});

test('UDP sessions beyond the descriptors are dropped, those that live go on', async (t) => {
  const origin = await udpEcho(t);
  const rule = await freeRule({ ...leadsTo(origin), protocol: 'UDP' });
  await edge(t, 90, [rule]);
  const clients = await Promise.all(Array.from({ length: 60 }, () => udpPeer(t)));
  for (const client of clients) client.send('x', ...entryOf(rule));
  // A quarter of 90.
  await eventually(() => assert.equal(clients.filter(({ got }) => got.length > 0).length, 22));
  const lucky = clients.find(({ got }) => got.length > 0);
  lucky?.send('y', ...entryOf(rule));
  assert.equal(String(await lucky?.datagram(1)), 'y');
});

test('the system tells the limit and what is open', (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells');
  assert.ok(descriptorLimit() >= 64);
  const open = openDescriptors();
  assert.ok(open === undefined || (open > 3 && open < 10_000));
});
