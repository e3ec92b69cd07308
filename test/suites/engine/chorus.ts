/**
 * Many clients that talk at once and never stop: numbered questions over TCP connections and UDP sessions, each answered
 * before the next is asked. Whatever a test does meanwhile, a lost, doubled or moved answer fails it.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './fixture.ts';
import { ask, tcpClient } from './tcp-peers.ts';
import { udpPeer } from './udp-peers.ts';

export const CONNECTIONS = 200;
export const SESSIONS = 100;
/** A question per talker and so many milliseconds: enough to be caught by any disturbance, little enough to be light. */
const PAUSE_MS = 100;

type Entry = readonly [address: string, port: number];

interface Chorus {
  /** Resolves once every talker has been answered again. */
  allSpeakAgain(): Promise<void>;
  /** Stops and checks: every question had exactly one answer. Gives how many there were. */
  end(): Promise<number>;
}

export async function chorus(
  t: TestContext,
  tcp: Entry,
  udp: Entry,
  size = { connections: CONNECTIONS, sessions: SESSIONS },
): Promise<Chorus> {
  const clients = await Promise.all(Array.from({ length: size.connections }, () => tcpClient(t, ...tcp)));
  const talkers = await Promise.all(Array.from({ length: size.sessions }, () => udpPeer(t)));
  let isOver = false;
  let failure: Error | undefined;
  /** Questions answered, per talker. */
  const answered = [...clients, ...talkers].map(() => 0);

  const talk = async (who: number, exchange: (number: number) => Promise<void>): Promise<void> => {
    try {
      for (let number = 0; !isOver; number++) {
        await exchange(number);
        answered[who] = number + 1;
        await sleep(PAUSE_MS);
      }
    } catch (error) {
      // One failure is the case's; what the others meet while the case ends is not.
      if (!isOver) failure = error as Error;
      isOver = true;
    }
  };
  t.after(() => (isOver = true));
  const connections = clients.map((client, i) =>
    talk(i, async (number) => {
      const question = `connection ${i} question ${number};`;
      assert.equal(await ask(client, question), question);
    }),
  );
  const sessions = talkers.map((talker, i) =>
    talk(clients.length + i, async (number) => {
      const question = `session ${i} question ${number}`;
      talker.send(question, ...udp);
      assert.equal(String(await talker.datagram(number)), question);
    }),
  );
  return {
    async allSpeakAgain() {
      const before = [...answered];
      const allHave = (): boolean => answered.every((count, i) => count > (before[i] ?? 0));
      await eventually(() => assert.ok(failure !== undefined || allHave()));
      assert.ifError(failure);
    },
    async end() {
      isOver = true;
      await Promise.all([...connections, ...sessions]);
      assert.ifError(failure);
      for (const [i, talker] of talkers.entries()) assert.equal(talker.got.length, answered[clients.length + i]);
      for (const client of clients) client.end();
      return answered.reduce((a, b) => a + b, 0);
    },
  };
}
