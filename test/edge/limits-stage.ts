/**
 * An edge process in its namespace, that may be killed and started again, and instances with a TCP rule on port 700 and a
 * UDP rule on 701, each limited in its own way. For the cases of limits in front of an engine.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import type { Limits } from '../../src/domain/limit/limit.ts';
import type { Namespaces } from '../engines/kernel-namespaces.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { tcpOrigin } from '../suites/engine/tcp-peers.ts';
import { type UdpPeer, udpEcho } from '../suites/engine/udp-peers.ts';
import { controlEnd } from './control-end.ts';
import { PLACE, proxy, rule } from './edges.ts';
import { spawnEdge } from './spawned-edge.ts';

export const PATIENCE_MS = 60_000;

interface Limited {
  readonly name: string;
  readonly entry: string;
  /** Where the UDP rule leads. */
  readonly origin: UdpPeer;
  /** What of its rules was given up so far. */
  readonly dropped: (protocol: 'tcp' | 'udp') => Readonly<Record<string, number>>;
  /** Its UDP rule is on this port, or switched off. In force when it resolves. */
  move(port: number | 'off'): Promise<void>;
}

export interface Stage extends AsyncDisposable {
  /** Another instance of its own, in force: that is what the edge's ack says. `bans`: networks. */
  limited(t: TestContext, limits: Limits, bans?: readonly string[], entry?: string): Promise<Limited>;
  /** As a crash. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it has applied another revision. */
  start(): Promise<void>;
}

export async function openStage(world: Namespaces, engine: string): Promise<Stage> {
  const control = await controlEnd();
  let child = spawnEdge(world, control, engine);
  let made = 0;
  await control.put(PLACE);

  async function applied(revision: number): Promise<void> {
    await eventually(() => assert.equal(control.acks.applied('overseas'), revision), PATIENCE_MS);
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('the edge has ended by itself');
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  return {
    async limited(t, limits, bans = [], entry = world.entry()) {
      const name = `i${++made}`;
      const [tcp, origin] = [await tcpOrigin(t), await udpEcho(t)];
      const instance = (port: number, more: object = {}) => {
        const udp = rule(`udp-${name}`, port, origin.address, origin.port, { protocol: 'UDP', ...more });
        const rules = [rule(`tcp-${name}`, 700, tcp.address, tcp.port), udp];
        return { [`proxy/zone-a/${name}`]: proxy(name, entry, rules, { limits }) };
      };
      const banned = bans.map((network) => [`network-ban/sid-${name}/${network.replace('/', '_')}`, { network }]);
      await applied(await control.put({ ...instance(701), ...Object.fromEntries(banned) }));
      // An engine that is slow to answer is told of as a failure, until it has answered.
      await eventually(() =>
        assert.deepEqual(
          ['tcp', 'udp'].map((one) => control.acks.failures(`${one}-${name}`)),
          [[], []],
        ),
      );
      return {
        name,
        entry,
        origin,
        dropped: (protocol) => control.counters.dropped(`${protocol}-${name}`),
        async move(port) {
          const next = port === 'off' ? instance(701, { want: 'offline' }) : instance(port);
          await applied(await control.put(next));
        },
      };
    },
    kill: () => end('SIGKILL'),
    async start() {
      child = spawnEdge(world, control, engine);
      await applied(await control.put({ 'zone/zone-a': { ...PLACE['zone/zone-a'], tags: [{ key: `${++made}` }] } }));
    },
    async [Symbol.asyncDispose]() {
      try {
        await end('SIGTERM');
      } finally {
        await control[Symbol.asyncDispose]();
      }
    },
  };
}
