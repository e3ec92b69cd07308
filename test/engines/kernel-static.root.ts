/**
 * T27 with the kernel engine: control and its store are gone, and the edge is killed or stopped and started again, ten
 * times in all. All the while every rule serves, because the table outlives its process. Where the table is gone too, as after a
 * boot, the edge makes it anew from its own disk.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ControlEnd, controlEnd } from '../edge/control-end.ts';
import { echo, PLACE, proxy, rule } from '../edge/edges.ts';
import { anEntry, eventually } from '../suites/engine/fixture.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { udpEcho, udpPeer } from '../suites/engine/udp-peers.ts';
import { type Namespaces, whyNoNamespaces } from './kernel-namespaces.ts';
import { takeStage } from './kernel-stage.ts';

const missing = whyNoNamespaces();
if (missing === undefined) describe('kernel engine', () => stability(takeStage()));
else describe('kernel engine', () => test('is not available here', { skip: missing }, () => {}));

const RULES = 40;
const FIRST_PORT = 2000;

interface EdgeProcess {
  /** Milliseconds that the edge took, without its process. */
  readonly took: number;
  /** Stopped, and started again in the same process; gives the same. */
  again(): Promise<number>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** An edge in the edge's namespace, once it has said that it is ready. */
async function startEdge(t: TestContext, world: Namespaces, control: ControlEnd): Promise<EdgeProcess> {
  const program = fileURLToPath(new URL('kernel-edge.ts', import.meta.url));
  const args = ['netns', 'exec', world.edge, process.execPath, program, control.folder, control.socket];
  const child = spawn('ip', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const gone = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = async (): Promise<number> => {
    const { value } = (await lines.next()) as { value?: string };
    assert.match(value ?? '', /^ready \d+$/);
    return Number(value?.split(' ')[1]);
  };
  return {
    took: await ready(),
    again() {
      child.stdin.write('again\n');
      return ready();
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async stop() {
      child.stdin.end();
      await gone;
    },
  };
}

/** A new connection now and then, and a conversation that goes on, until told to end. */
function knocking(t: TestContext, ports: readonly number[], entry: string): () => Promise<number> {
  let isOver = false;
  t.after(() => (isOver = true));
  const knocks = (async () => {
    const client = await tcpClient(t, entry, FIRST_PORT);
    let count = 0;
    for (; !isOver; count++) {
      assert.equal(await echo(entry, ports[count % ports.length] ?? 0, `${count}`), `${count}`);
      assert.equal(await ask(client, `and ${count}`), `and ${count}`);
      await sleep(10);
    }
    return count;
  })();
  knocks.catch(() => {});
  return () => {
    isOver = true;
    return knocks;
  };
}

function stability(world: Namespaces): void {
  test('T27: without control, restarted ten times, not one connection fails', async (t) => {
    await using control = await controlEnd();
    const [origin, udp] = [await tcpOrigin(t), await udpEcho(t)];
    const entry = anEntry();
    const ports = Array.from({ length: RULES }, (_, i) => FIRST_PORT + i);
    const rules = ports.map((port) => rule(`rule-${port}`, port, origin.address, origin.port));
    const udpRule = rule('rule-udp', 53, udp.address, udp.port, { protocol: 'UDP' });
    let edge = await startEdge(t, world, control);
    const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, [...rules, udpRule]) });
    await eventually(() => assert.equal(control.acks.applied('overseas'), revision), 60_000);
    await control.down();

    const client = await udpPeer(t);
    const allServe = async (): Promise<void> => {
      const got = client.got.length;
      client.send('x', entry, 53);
      const answers = await Promise.all(ports.map((port) => echo(entry, port, `${port}`)));
      assert.deepEqual(answers, ports.map(String));
      await client.datagram(got);
    };
    await allServe();
    const served = knocking(t, ports, entry);
    const times: number[] = [];
    for (let kill = 0; kill < 3; kill++) {
      await edge.kill();
      await allServe();
      edge = await startEdge(t, world, control);
      times.push(edge.took);
      await allServe();
    }
    for (let restart = 0; restart < 7; restart++) {
      times.push(await edge.again());
      await allServe();
    }
    t.diagnostic(`${await served()} connections while it restarted, none failed; ms to be ready: ${times.join(' ')}`);
    // One socket at the origin: the session never moved.
    assert.equal(new Set(udp.got.map(({ from }) => from.port)).size, 1);

    await edge.kill();
    world.inEdge('nft', 'delete', 'table', 'inet', 'edgefour');
    await assert.rejects(echo(entry, FIRST_PORT, 'x'), { code: 'ECONNREFUSED' });
    edge = await startEdge(t, world, control);
    await allServe();
    t.diagnostic(`without a table: ${edge.took} ms`);
    await edge.stop();
  });
}
