/**
 * Origins that are set by hand, on a real edge with real engines: one that is drained gets nothing new, its connections stay
 * unless the rule says otherwise, a restart of the edge while control is gone keeps that, and it is used again when its time is over.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { EngineFactory } from '../../src/engines/engine.ts';
import { createNodeEngine } from '../../src/engines/node/engine.ts';
import { createUringEngineWith } from '../../src/engines/uring/engine.ts';
import { whyUnavailable } from '../../src/engines/uring/ring/probe.ts';
import { eventually, freePort, loopback } from '../suites/engine/fixture.ts';
import { controlEnd } from './control-end.ts';
import { edgeOn, PLACE, proxy, rule } from './edges.ts';
import { who } from './mortal-origins.ts';
import { hearing } from './said.ts';

/** The end of a drain, from when it is told. */
const ENDS_MS = 1_500;
const noUring = await whyUnavailable(2);
const ENGINES: readonly [string, EngineFactory, string | undefined][] = [
  ['node', createNodeEngine, undefined],
  ['uring', (events) => createUringEngineWith({ workers: 2 }, events), noUring],
];

for (const [name, create, absent] of ENGINES)
  test(`drained by hand on the ${name} engine`, { skip: absent ?? false }, (t) => drains(t, name, create));

/** Says its address to each that says anything, and to `who`, which says goodbye, that too. */
async function sayingOrigin(t: TestContext, address: string, port: number): Promise<void> {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        socket.write(address);
        if (String(bytes) === 'WHO') socket.end();
      });
  });
  server.listen(port, address);
  await once(server, 'listening');
  t.after(() => server.close());
}

/** An open connection, and what each word on it is answered with; empty: it is closed. */
class Talk {
  readonly #socket: Socket;
  isOpen = true;

  constructor(t: TestContext, entry: string, port: number) {
    this.#socket = connect(port, entry).on('error', () => {});
    this.#socket.on('close', () => (this.isOpen = false));
    t.after(() => this.#socket.destroy());
  }

  async ask(): Promise<string> {
    this.#socket.write('hello');
    const [bytes] = (await once(this.#socket, 'data')) as [Buffer];
    return String(bytes);
  }
}

async function talkWith(t: TestContext, origin: string, entry: string, port: number): Promise<Talk> {
  for (let i = 0; i < 4; i++) {
    const talk = new Talk(t, entry, port);
    if ((await talk.ask()) === origin) return talk;
  }
  return assert.fail(`no connection came to ${origin}`);
}

async function drains(t: TestContext, name: string, create: EngineFactory): Promise<void> {
  await using control = await controlEnd();
  const { log, said } = hearing();
  const tools = { engines: { [name]: create }, log };
  await using edge = await edgeOn(control, undefined, tools);
  await edge.ready;
  const entry = loopback();
  const [drained, other] = [loopback(), loopback()];
  const originPort = await freePort(drained);
  for (const address of [drained, other]) await sayingOrigin(t, address, originPort);
  const [keeping, resetting] = [await freePort(entry), await freePort(entry)];
  const originValue = [drained, other];
  const rules = [
    rule('keeping', keeping, '', originPort, { originValue }),
    rule('resetting', resetting, '', originPort, { originValue, options: { unhealthy: 'reset' } }),
  ];
  const applied = async (records: Parameters<typeof control.put>[0]) => {
    const revision = await control.put(records);
    await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  };
  /** Of so many new connections to both rules. */
  const answers = async (count: number) => {
    const all = Array.from({ length: count }, () => [who(entry, keeping), who(entry, resetting)]).flat();
    return new Set(await Promise.all(all));
  };
  await applied({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
  assert.deepEqual(await answers(4), new Set([drained, other]));
  const kept = await talkWith(t, drained, entry, keeping);
  const reset = await talkWith(t, drained, entry, resetting);

  const key = `origin-state/zone-a/${drained}`;
  await applied({ [key]: { host: drained, state: 'down' } });
  assert.deepEqual(await answers(10), new Set([other]), 'nothing new comes to an origin that is drained');
  await eventually(() => assert.equal(reset.isOpen, false));
  assert.equal(await kept.ask(), drained, 'a connection stays where its rule does not say otherwise');
  const words = () => said.filter(({ facts }) => facts['origin'] === `TCP ${drained}:${originPort}`);
  assert.deepEqual(
    words().map(({ message, facts }) => [message, facts['by'], facts['reason']]),
    [['an origin is out of use', 'operator', 'set down by hand']],
  );

  await control.down();
  await edge.stop(0);
  await using again = await edgeOn(control, undefined, tools);
  await again.ready;
  assert.deepEqual(await answers(10), new Set([other]), 'a restart keeps it, without control too');
  await control.up();
  const until = Date.now() + ENDS_MS;
  await applied({ [key]: { host: drained, state: 'down', until } });
  await eventually(async () => assert.deepEqual(await answers(4), new Set([drained, other])));
  assert.ok(Date.now() >= until, 'not before its time');
  const [last] = words().slice(-1);
  assert.deepEqual([last?.message, last?.facts['by']], ['an origin is used again', 'operator']);
}
