/** What the node engine does when descriptors run out: in a process of its own that has few. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edgeProcess, freeRule } from '../../../test/suites/engine/edge.ts';
import { eventually, loopback } from '../../../test/suites/engine/fixture.ts';
import { entryOf, leadsTo, options } from '../../../test/suites/engine/listener.ts';
import { ask, readAll, tcpClient, tcpOrigin } from '../../../test/suites/engine/tcp-peers.ts';
import { newcomersUntilServed, udpEcho, udpPeer, type UdpPeer } from '../../../test/suites/engine/udp-peers.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRng } from '../../lib/rng.ts';
import { descriptorLimit, openDescriptors } from '../../linux/descriptors.ts';
import { createNodeEngineWith } from './engine.ts';

test('connections beyond the descriptors wait for their turn; only those beyond that are refused', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells how many descriptors are open');
  const origin = await tcpOrigin(t);
  const rule = await freeRule({ ...leadsTo(origin), options: options({ connectTimeoutMs: 60_000 }) });
  const told = await edgeProcess(t, [rule], { descriptors: 90 });
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
  // 90 less what the process itself has and the reserve, two for each connection; at most half of the reserve waits. What
  // the process itself has may change by one or two meanwhile.
  await eventually(async () => {
    assert.ok(count('waits') >= 1 && count('waits') <= 5, fates.join(' '));
    assert.equal((await told()).ends.length, count('reset'));
  });
  assert.ok(count('served') >= 10 && count('reset') > 0 && count('fin') === 0, fates.join(' '));
  assert.ok((await told()).ends.every((end) => end === 'limit'));
  await eventually(async () => assert.match((await told()).logs.join(), /out of descriptors/));

  // Those that are served go on, and as they end those that wait are served.
  const served = clients.filter((_, i) => fates[i] === 'served');
  assert.equal(await ask(served[0]!, 'still here'), 'still here');
  for (const client of served.slice(0, 9)) client.end();
  await eventually(() => assert.equal(count('waits'), 0, fates.join(' ')));
  assert.equal(count('served'), clients.length - count('reset'));
});

/** limit: an origin must have been reached by then, too, from a process that stands still now and then. */
const WAIT_MS = 3_000;

test('a client that waits too long is refused', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells how many descriptors are open');
  const origin = await tcpOrigin(t);
  const rule = await freeRule({ ...leadsTo(origin), options: options({ connectTimeoutMs: WAIT_MS }) });
  const told = await edgeProcess(t, [rule], { descriptors: 90 });
  const clients = await Promise.all(Array.from({ length: 40 }, () => tcpClient(t, ...entryOf(rule))));
  const since = performance.now();
  const answers = clients.map((client) =>
    ask(client, 'x').then(
      () => 'served',
      () => 'refused',
    ),
  );
  const refused = (await Promise.all(answers)).filter((fate) => fate === 'refused').length;
  // Those that waited are among them: nobody is without an answer.
  assert.ok(refused >= 5 && refused < clients.length && performance.now() - since > WAIT_MS / 2, `${refused} refused`);
  await eventually(async () => assert.deepEqual((await told()).ends, Array(refused).fill('limit')));
});

test('UDP sessions beyond the descriptors are dropped, those that live go on; later ones take the place of those that are over', async (t) => {
  const origin = await udpEcho(t);
  const rule = await freeRule({ ...leadsTo(origin), protocol: 'UDP' });
  const told = await edgeProcess(t, [rule], { descriptors: 90 });
  const clients = await Promise.all(Array.from({ length: 60 }, () => udpPeer(t)));
  for (const client of clients) client.send('x', ...entryOf(rule));
  const served = (): UdpPeer[] => clients.filter(({ got }) => got.length > 0);
  // A quarter of 90; more where sending took so long that the first ones were over already.
  await eventually(() => assert.ok(served().length >= 22));
  const lucky = served()[0];
  lucky?.send('y', ...entryOf(rule));
  assert.equal(String(await lucky?.datagram(1)), 'y');
  await newcomersUntilServed(t, entryOf(rule));
  await eventually(async () => assert.ok((await told()).ends.includes('evicted')));
});

test('the last descriptors go to other sources than the one that holds most, and to other rules', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells how many descriptors are open');
  const origin = await tcpOrigin(t);
  const rule = await freeRule(leadsTo(origin));
  const udp = await freeRule({ ...leadsTo(await udpEcho(t)), id: 'rule-2', protocol: 'UDP' });
  const told = await edgeProcess(t, [rule, udp], { descriptors: 600 });
  const [glutton, neighbour] = [loopback(), loopback()];
  const served = (from: string): Promise<boolean> =>
    tcpClient(t, ...entryOf(rule), from)
      .then((client) => ask(client, 'x'))
      .then(
        () => true,
        () => false,
      );
  let count = 0;
  while (await served(glutton)) count++;
  // 600 less the reserve of 75 and what the process itself has; of those an eighth is left.
  assert.ok(count > 150 && count < 230, `${count}`);
  assert.deepEqual((await told()).ends, ['limit']);
  const asks = async (from: string): Promise<UdpPeer> => {
    const client = await udpPeer(t, { address: from });
    client.send('x', ...entryOf(udp));
    return client;
  };
  const refused = await asks(glutton);
  assert.equal(String(await (await asks(neighbour)).datagram(0)), 'x');
  assert.equal(refused.got.length, 0);
});

test('a range that would eat up the descriptors is refused before anything is bound', async (t) => {
  const engine = await createNodeEngineWith(
    { clock: systemClock, rng: systemRng, descriptors: 400 },
    { record() {}, listener() {}, outcomes() {}, log() {} },
  );
  t.after(() => engine.stop(0));
  const rule = await freeRule({ ports: [{ from: 20_000, to: 20_399 }] });
  const refused = await engine.apply(rule);
  assert.ok(!refused.ok && /needs 400 listening sockets.*ulimit -n/.test(refused.reason), JSON.stringify(refused));
  await assert.rejects(tcpClient(t, rule.entries[0] ?? '', 20_000), { code: 'ECONNREFUSED' });
  assert.deepEqual(await engine.apply({ ...rule, ports: [{ from: 20_000, to: 20_199 }] }), { ok: true });
});

test('the system tells the limit and what is open', (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells');
  assert.ok(descriptorLimit() >= 64);
  const open = openDescriptors();
  assert.ok(open === undefined || (open > 3 && open < 10_000));
});
