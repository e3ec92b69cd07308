/**
 * A rule with several origins moves to the kernel engine when they are checked, and back when they are no more, on a whole edge
 * in a namespace: no connection is lost on the way, be it old or new.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { type Namespaces, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { takeStage } from '../engines/kernel-stage.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { ask, tcpClient, tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { connects } from '../world/connects.ts';
import { type ControlEnd, controlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { spawnEdge } from './spawned-edge.ts';

const missing = whyNoNamespaces() ?? (await whyUnavailable());
if (missing === undefined) describe('a rule that moves', () => checked(takeStage()));
else describe('a rule that moves', () => test('is not available here', { skip: missing }, () => {}));

const PATIENCE_MS = 60_000;
const PORT = 700;
/** limit: longer than the test on a busy machine; what is open when a rule moves ends as its drain says. */
const options = { drain: { how: 'drain', seconds: 600 } };

function checked(world: Namespaces): void {
  test('a rule moves to the kernel with its first check and back without it, and no connection is lost', async (t) => {
    const switches = ['ipv4.ip_forward', 'netfilter.nf_conntrack_acct', 'netfilter.nf_conntrack_timestamp'];
    world.inEdge('sysctl', '-qw', ...switches.map((name) => `net.${name}=1`));
    await using control = await controlEnd();
    const edge = spawnEdge(world, control, 'auto');
    const gone = new Promise((resolve) => edge.once('exit', resolve));
    t.after(() => (edge.kill('SIGTERM'), gone));
    const one = await tcpOrigin(t);
    const two = await tcpOrigin(t, undefined, { port: one.port });
    const entry = world.entry();
    const checker = { type: 'TCP', port: one.port, interval: 10 };
    const put = async (more: object): Promise<void> => {
      const rules = [rule('moving', PORT, '', one.port, { originValue: [one.address, two.address], options, ...more })];
      await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
    };

    await put({});
    await isOn(control, 'uring', /^kernel: it cannot try the next origin$/);
    const old = await opened(t, entry);
    await using load = connects(entry, PORT, { perSecond: 50 });
    await put({ checker });
    await isOn(
      control,
      'kernel',
      /checked every 10 s: a new connection to an origin that just died is not tried elsewhere/,
    );
    const led = await opened(t, entry);
    await speak([...old, ...led]);
    await put({});
    await isOn(control, 'uring', /^kernel: it cannot try the next origin; moved from kernel/);
    await speak([...old, ...led, ...(await opened(t, entry))]);
    await put({ options: { ...options, kernelUnchecked: 'on' } });
    await isOn(control, 'kernel', /not checked, as the rule allows/);
    await speak([...old, ...led]);
    await load.stop();
    assert.deepEqual([...load.ends], [['ok', load.started]]);
    const had = [one, two].map(({ connections }) => connections.length);
    t.diagnostic(`${load.started} connections came meanwhile; the origins had ${had.join(' and ')}`);
    // Checks connect too. A turn may begin anew with each move.
    assert.ok(
      had.every((count) => count > load.started / 3),
      had.join(),
    );
  });
}

/** Where the rule is, and why there, as control hears it. */
async function isOn(control: ControlEnd, engine: string, why: RegExp): Promise<void> {
  await eventually(() => {
    const [placed] = control.acks.placements(['moving']);
    assert.ok(placed && 'engine' in placed, JSON.stringify(placed));
    assert.equal(placed.engine, engine);
    assert.match(placed.why, why);
  }, PATIENCE_MS);
}

async function opened(t: TestContext, entry: string): Promise<Socket[]> {
  const open = [await tcpClient(t, entry, PORT), await tcpClient(t, entry, PORT)];
  await speak(open);
  return open;
}

async function speak(clients: readonly Socket[]): Promise<void> {
  for (const client of clients) assert.equal(await ask(client, 'hello'), 'hello');
}
