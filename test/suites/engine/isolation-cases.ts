/**
 * The promise that a change to one rule never touches another (T23): 200 TCP connections and 100 UDP sessions, or as many
 * as a suite asks for, keep talking, numbered, while others are made, changed and deleted 1,000 times. Nothing may be lost,
 * moved or closed.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener } from '../../../src/engines/engine.ts';
import { chorus, CONNECTIONS, SESSIONS } from './chorus.ts';
import { engineWorld, type EngineUnderTest, type EngineWorld } from './fixture.ts';
import { entryOf, leadsTo, target } from './listener.ts';
import { tcpOrigin } from './tcp-peers.ts';
import { udpEcho } from './udp-peers.ts';

const CHANGES = 1000;
/** 50 rules per lane: about two seconds of changes. */
const LANE_PAUSE_MS = 30;

const SIZE = { connections: CONNECTIONS, sessions: SESSIONS };

export function isolationCases(under: EngineUnderTest, size = SIZE): void {
  describe(`isolation of ${size.connections} connections and ${size.sessions} sessions`, () => {
    const world = engineWorld(under);

    test('T23: 1,000 changes of other rules disturb no connection and no session', async (t) => {
      const [tcp, udp] = [await tcpOrigin(t), await udpEcho(t)];
      const tcpRule = await world.up(await world.rule(leadsTo(tcp)));
      const udpRule = await world.up(await world.rule({ ...leadsTo(udp), protocol: 'UDP' }));
      const talking = await chorus(t, entryOf(tcpRule), entryOf(udpRule), size);

      await talking.allSpeakAgain();
      const refused = await churn(world, () => world.rule(leadsTo(tcp)));
      await talking.allSpeakAgain();
      for (const { id } of [tcpRule, udpRule]) {
        const { connections, dropped, ends } = await world.counters(id);
        assert.deepEqual([dropped, ends], [{}, {}]);
        await world.active(id, connections);
      }

      assert.equal(refused, 0);
      t.diagnostic(`${await talking.end()} questions were answered, none was lost`);
      // Closed none, moved none: as many connections and sockets at the origins as there were to begin with.
      assert.equal(tcp.connections.length, size.connections);
      assert.equal(new Set(udp.got.map(({ from }) => from.port)).size, size.sessions);
    });
  });
}

/** Creates, changes in several ways, and deletes, four rules at a time. Gives how many calls were refused. */
async function churn(world: EngineWorld, fresh: () => Promise<Listener>): Promise<number> {
  let refused = 0;
  let changes = 0;
  const run = async (): Promise<void> => {
    while (changes < CHANGES) {
      changes += 5;
      const rule = await fresh();
      const [span = { from: 1, to: 1 }] = rule.ports;
      const steps: Listener[] = [
        rule,
        { ...rule, targets: [...rule.targets, target(world.address(), 1, 1)] },
        { ...rule, ports: [{ from: span.from, to: Math.min(65_535, span.from + 3) }] },
        { ...rule, protocol: 'UDP' },
      ];
      for (const step of steps) if (!(await world.engine.apply(step)).ok) refused++;
      await world.engine.remove(rule.id);
      // Spread out, so that every talker speaks many times in between.
      await sleep(LANE_PAUSE_MS);
    }
  };
  await Promise.all([run(), run(), run(), run()]);
  return refused;
}
