/**
 * The end of the running process: a Unix socket in the data folder (who may open the file may take over), where the next
 * one asks for what this one has. One at a time; nothing is given up before the other says `serving`, and one that goes
 * before that, or takes too long, changes nothing.
 */
import { EAGAIN } from '../linux/abi.ts';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { errnoName } from '../linux/ffi/libc.ts';
import { MOST_DESCRIPTORS, sendRights } from '../linux/ffi/rights.ts';
import { shortPath } from '../linux/socket-path.ts';
import type { Answer, Part } from './knock.ts';
import { type Ask, type Asked, encodeLine, lineReader, mayFollow, PROTOCOL, readAsk, type Reply } from './words.ts';

export interface Giver {
  /** Each is called once per attempt, in the order of words.ts. What it rejects with is told as the reason. */
  answer(ask: Ask): Promise<Answer>;
  /** The other end is gone before it served. */
  lost(): void;
  /** It serves, and has been told that it has everything. */
  gone(): void;
}

export interface Door {
  /** The file is gone when it resolves. Whoever is inside stays. May be called twice. */
  close(): Promise<void>;
}

/** limit: how long a start may take on a busy machine, while this process keeps its hands still. */
const WITHIN_MS = 60_000;
const AGAIN_MS = 2;

/** Rejects where the socket can't be made. The caller knows that nobody else has the path. */
export async function openDoor(path: string, giver: Giver, clock: Clock): Promise<Door> {
  let inside: Socket | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (inside) {
      socket.end(encodeLine({ kind: 'refused', reason: 'another upgrade is under way' }));
      return socket.destroySoon();
    }
    inside = socket;
    void serve(socket, giver, clock).finally(() => {
      inside = undefined;
    });
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(shortPath(path), resolve);
  });
  chmodSync(path, 0o600);
  server.unref();
  return {
    close: () =>
      new Promise((resolve) => {
        // not: its callback, which waits for whoever is inside. The file goes at once.
        if (server.listening) server.close();
        resolve();
      }),
  };
}

async function serve(socket: Socket, giver: Giver, clock: Clock): Promise<void> {
  const lines = lineReader();
  let before: Asked | undefined;
  let hasGone = false;
  const patience = clock.after(WITHIN_MS, () => socket.destroy());
  try {
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      for (const line of lines(bytes) ?? ['']) {
        const ask = readAsk(line);
        if (!ask || ask.protocol !== PROTOCOL) {
          await send(socket, { kind: 'refused', reason: OTHER }, [], clock);
          return;
        }
        if (!mayFollow(before, ask.ask)) {
          await send(socket, { kind: 'refused', reason: `it was asked for ${ask.ask} at the wrong time` }, [], clock);
          return;
        }
        before = ask.ask;
        if (!(await answer(socket, ask, giver, clock))) return;
        if (ask.ask !== 'serving') continue;
        hasGone = true;
        giver.gone();
        return;
      }
    }
  } catch {
    // Whatever broke, the other one is gone.
  } finally {
    patience.cancel();
    socket.destroySoon();
    if (before && !hasGone) giver.lost();
  }
}

const OTHER = 'the running EdgeFour hands over in another way than this version; end it and start this one';

async function answer(socket: Socket, ask: Ask, giver: Giver, clock: Clock): Promise<boolean> {
  let given: Answer;
  try {
    given = await giver.answer(ask);
  } catch (error) {
    await send(socket, { kind: 'refused', reason: (error as Error).message }, [], clock);
    return false;
  }
  for (const { descriptors, facts } of given.parts)
    await send(socket, { kind: 'part', count: descriptors.length, facts }, descriptors, clock);
  await send(socket, { kind: 'done', facts: given.facts }, [], clock);
  return true;
}

/** not: socket.write, which can't carry descriptors; so everything goes this way, and in order. */
async function send(socket: Socket, word: Reply, descriptors: readonly number[], clock: Clock): Promise<void> {
  const fd = (socket as unknown as { readonly _handle: { readonly fd: number } | null })._handle?.fd ?? -1;
  let carried = descriptors;
  for (let rest: Uint8Array = encodeLine(word); rest.length > 0;) {
    if (socket.destroyed) throw new Error('the other end is gone');
    const sent = sendRights(fd, rest, carried);
    if (sent < 0 && sent !== -EAGAIN) throw new Error(errnoName(sent));
    if (sent < 0) await clock.sleep(AGAIN_MS);
    else {
      rest = rest.subarray(sent);
      carried = [];
    }
  }
}

/** Things with a descriptor each, as parts of a size that fits. */
export function partsOf<T>(
  things: readonly T[],
  descriptor: (thing: T) => number,
  facts?: (thing: T) => unknown,
): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < things.length; at += MOST_DESCRIPTORS) {
    const some = things.slice(at, at + MOST_DESCRIPTORS);
    parts.push({ descriptors: some.map(descriptor), ...(facts && { facts: some.map(facts) }) });
  }
  return parts;
}
