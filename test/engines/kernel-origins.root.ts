/**
 * A rule of the kernel engine with more origins than one index of the table has slots for: each gets exactly its share, the
 * numbers are one account, and the next engine and the next change find every origin where it was.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';
import { entryOf, listener, options, target } from '../suites/engine/listener.ts';
import { ask, tcpClient } from '../suites/engine/tcp-peers.ts';
import { sumOf, talk } from './kernel-books.ts';
import { whyNoNamespaces, type Namespaces } from './kernel-namespaces.ts';
import { startAgent, takeStage } from './kernel-stage.ts';

const ORIGINS = 1_000;
/** limit: the last connections are forgotten by the system seconds after their end. */
const PATIENCE_MS = 120_000;

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine, many origins', () => origins(takeStage()));
else describe('kernel engine, many origins', () => test('is not available here', { skip: missing }, () => {}));

/** One server at so many addresses, and how many connections each of them had. */
async function manyOrigins(t: TestContext, world: Namespaces) {
  const counts = new Map<string, number>();
  const server = createServer((socket) => {
    const at = socket.localAddress ?? '';
    counts.set(at, (counts.get(at) ?? 0) + 1);
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => (bytes[0] === 69 ? socket.end(bytes) : socket.write(bytes)));
  }).listen({ host: '0.0.0.0', port: 0, backlog: 1024 });
  await once(server, 'listening');
  t.after(() => server.close());
  const addresses = Array.from({ length: ORIGINS }, () => world.address());
  return { counts, addresses, port: (server.address() as { port: number }).port };
}

function origins(world: Namespaces): void {
  test(`${ORIGINS} origins get exactly their shares, through a restart and a change`, async (t) => {
    const { counts, addresses, port } = await manyOrigins(t, world);
    const rule = listener({
      id: 'rule-many',
      entries: [world.entry()],
      ports: [{ from: 80, to: 80 }],
      originPorts: { from: port, to: port },
      targets: addresses.map((address) => target(address)),
      // limit: of a slow machine that asks a thousand clients.
      options: options({ drain: { how: 'drain', seconds: 600 } }),
    });
    const first = await startAgent(t, world, [rule]);
    const held = await Promise.all(Array.from({ length: ORIGINS }, () => tcpClient(t, ...entryOf(rule))));
    for (const client of held) assert.equal(await ask(client, 'x'), 'x');
    assert.deepEqual([counts.size, new Set(counts.values())], [ORIGINS, new Set([1])]);
    await eventually(async () => {
      const { connections, active } = sumOf(await first.status(), rule.id);
      assert.deepEqual([connections, active], [ORIGINS, ORIGINS]);
    }, PATIENCE_MS);
    const text = world.inEdge('nft', 'list', 'map', 'inet', 'edgefour', 'to4');
    await first.kill();

    const second = await startAgent(t, world, [rule]);
    assert.equal(sorted(world.inEdge('nft', 'list', 'map', 'inet', 'edgefour', 'to4')), sorted(text));
    // Every second one goes, and whoever stays keeps its place; so do connections, and those of the others drain.
    const kept = addresses.filter((_, i) => i % 2 === 1);
    await second.apply({ ...rule, targets: kept.map((address) => target(address)) });
    for (const client of held) assert.equal(await ask(client, 'y'), 'y');
    counts.clear();
    await talk(rule, 2 * kept.length, world.address());
    assert.deepEqual([...counts.keys()].toSorted(), kept.toSorted());
    assert.deepEqual(new Set(counts.values()), new Set([2]));
    for (const client of held) client.destroy();
    await eventually(async () => {
      const { connections, records, lost, active } = sumOf(await second.status(), rule.id);
      // Those held were counted in the first life.
      assert.deepEqual([connections + ORIGINS, active], [records + lost, 0]);
      assert.equal(connections, 2 * kept.length);
    }, PATIENCE_MS);
    await second.kill();
  });
}

function sorted(text: string): string {
  return text.split(/,?\s+/).toSorted().join(' ');
}
