/**
 * An origin that is set by hand, behind a real edge: drained it gets nothing new, its connections stay unless the rule says
 * otherwise, a restart of the edge while control is gone keeps that, and it is used again when its time is over. Run on this
 * machine's loopback by set-origins.test.ts, on the kernel engine by set-origins.root.ts.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { eventually } from '../suites/engine/fixture.ts';
import type { ControlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { who } from './mortal-origins.ts';
import type { Said } from './said.ts';

/** The end of a drain, from when it is told. */
const ENDS_MS = 1_500;
const PATIENCE_MS = 60_000;
const ORIGIN_PORT = 7_000;
const [KEEPING, RESETTING] = [700, 701];

interface Place {
  readonly control: ControlEnd;
  /** What the edge has said, the one before a restart too; absent: it is not heard. */
  readonly said?: readonly Said[];
  /** The edge stops, and another one starts on its folder; it may serve a little later. */
  restart(): Promise<void>;
  /** For origins, and for an entry. */
  address(): string;
  readonly entry: string;
}

export async function drains(t: TestContext, place: Place): Promise<void> {
  const { control, entry } = place;
  const [drained, other] = [place.address(), place.address()];
  for (const address of [drained, other]) await sayingOrigin(t, address);
  const originValue = [drained, other];
  const rules = [
    rule('keeping', KEEPING, '', ORIGIN_PORT, { originValue }),
    rule('resetting', RESETTING, '', ORIGIN_PORT, { originValue, options: { unhealthy: 'reset' } }),
  ];
  const applied = async (records: Parameters<ControlEnd['put']>[0]) => {
    const revision = await control.put(records);
    await eventually(() => assert.equal(control.acks.applied('overseas'), revision), PATIENCE_MS);
  };
  /** Of so many new connections to both rules. */
  const answers = async (count: number) => {
    const all = Array.from({ length: count }, () => [who(entry, KEEPING), who(entry, RESETTING)]).flat();
    return new Set(await Promise.all(all));
  };
  await applied({ ...PLACE, 'proxy/zone-a/a': proxy('a', entry, rules) });
  assert.deepEqual([control.acks.failures('keeping'), control.acks.failures('resetting')], [[], []]);
  assert.deepEqual(await answers(4), new Set([drained, other]));
  const kept = await talkWith(t, drained, entry, KEEPING);
  const reset = await talkWith(t, drained, entry, RESETTING);

  const key = `origin-state/zone-a/${drained}`;
  await applied({ [key]: { host: drained, state: 'down' } });
  assert.deepEqual(await answers(10), new Set([other]), 'nothing new comes to an origin that is drained');
  await eventually(() => assert.equal(reset.isOpen, false));
  assert.equal(await kept.ask(), drained, 'a connection stays where its rule does not say otherwise');
  const words = () =>
    place.said
      ?.filter(({ facts }) => facts['origin'] === `TCP ${drained}:${ORIGIN_PORT}`)
      .map(({ message, facts }) => [message, facts['by'], facts['reason']]);
  if (place.said) assert.deepEqual(words(), [['an origin is out of use', 'operator', 'set down by hand']]);

  await control.down();
  await place.restart();
  for (const port of [KEEPING, RESETTING])
    await eventually(async () => assert.notEqual(await who(entry, port), ''), PATIENCE_MS);
  assert.deepEqual(await answers(10), new Set([other]), 'a restart keeps it, without control too');
  await control.up();
  const until = Date.now() + ENDS_MS;
  await applied({ [key]: { host: drained, state: 'down', until } });
  await eventually(async () => assert.deepEqual(await answers(4), new Set([drained, other])));
  assert.ok(Date.now() >= until, 'not before its time');
  if (place.said) assert.deepEqual(words()?.at(-1), ['an origin is used again', 'operator', 'no longer set by hand']);
}

/** Says its address to each that says anything, and to `who`, which says goodbye, that too. */
async function sayingOrigin(t: TestContext, address: string): Promise<void> {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        socket.write(address);
        if (String(bytes) === 'WHO') socket.end();
      });
  });
  server.listen(ORIGIN_PORT, address);
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
