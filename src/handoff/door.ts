/**
 * The end of the running process: a Unix socket in the data folder (a process that may open the file may take over), where the next
 * one asks for what this one has. One at a time. This process lets go of nothing before the other says `pause`, and one
 * that goes before that, or takes too long, changes nothing. Opened by each role once it serves.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import { EAGAIN } from '../linux/abi.ts';
import { errnoName } from '../linux/ffi/libc.ts';
import { MOST_DESCRIPTORS, sendRights } from '../linux/ffi/rights.ts';
import { shortPath } from '../linux/socket-path.ts';
import type { Answer, Part } from './predecessor.ts';
import { type Ask, encodeReply, lineReader, mayFollow, PROTOCOL, readAsk, type Reply, type Word } from './words.ts';

/**
 * The running process, as it is taken over from: each is called once per attempt, in the order of words.ts. What one
 * rejects with is told to the other end as the reason.
 */
export interface Outgoing {
  /** `version` is the other one's. */
  rest(version: string): Promise<Answer>;
  handOver(): Promise<Answer>;
  pause(): Promise<Answer>;
  /** The other end has ended before it served. */
  resume(): void;
  /** The other end serves, and has been told that it has everything. */
  gone(): void;
}

export interface Door {
  /** The file is gone when it resolves. A process that is inside stays. May be called twice. */
  close(): Promise<void>;
}

/** limit: how long a start may take on a busy machine, while this process keeps its hands still. */
const WITHIN_MS = 60_000;
const AGAIN_MS = 2;

/** Rejects where the socket can't be made. The caller knows that no other process has the path. */
export async function openDoor(path: string, outgoing: Outgoing, clock: Clock): Promise<Door> {
  let inside: Conversation | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (inside) {
      socket.end(encodeReply({ kind: 'refused', reason: 'another upgrade is under way' }));
      return socket.destroySoon();
    }
    inside = new Conversation(socket, outgoing, clock);
    void inside.run().finally(() => (inside = undefined));
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(shortPath(path), resolve);
  });
  chmodSync(path, 0o600);
  server.unref();
  return {
    async close() {
      // not: waiting for its callback, which comes once no process is inside. The file goes at once.
      if (server.listening) server.close();
    },
  };
}

const OTHER = 'the running EdgeFour hands over in another way than this version; end it and start this one';

/** One process that asks, from its first word to the end of the connection. */
class Conversation {
  readonly #socket: Socket;
  readonly #outgoing: Outgoing;
  readonly #clock: Clock;
  #before: Word | undefined;
  #isGone = false;

  constructor(socket: Socket, outgoing: Outgoing, clock: Clock) {
    this.#socket = socket;
    this.#outgoing = outgoing;
    this.#clock = clock;
  }

  async run(): Promise<void> {
    const socket = this.#socket;
    const lines = lineReader();
    const patience = this.#clock.after(WITHIN_MS, () => socket.destroy());
    try {
      for await (const bytes of socket as AsyncIterable<Buffer>)
        for (const line of lines(bytes) ?? ['']) if (!(await this.#hear(readAsk(line)))) return;
    } catch {
      // The other process is gone, however it ended.
    } finally {
      patience.cancel();
      socket.destroySoon();
      if (this.#before && !this.#isGone) this.#outgoing.resume();
    }
  }

  /** Whether more may come. */
  async #hear(ask: Ask | undefined): Promise<boolean> {
    if (!ask || ask.protocol !== PROTOCOL) return this.#refuse(OTHER);
    if (!mayFollow(this.#before, ask.word)) return this.#refuse(`it was asked to ${ask.word} at the wrong time`);
    this.#before = ask.word;
    if (!(await this.#answer(ask))) return false;
    if (ask.word !== 'pause') return true;
    this.#isGone = true;
    this.#outgoing.gone();
    return false;
  }

  async #answer({ word, version }: Ask): Promise<boolean> {
    let answer: Answer;
    try {
      answer = await this.#outgoing[word](version);
    } catch (error) {
      return this.#refuse((error as Error).message);
    }
    for (const { descriptors, facts } of answer.parts)
      await this.#send({ kind: 'part', count: descriptors.length, facts }, descriptors);
    await this.#send({ kind: 'done', facts: answer.facts });
    return true;
  }

  async #refuse(reason: string): Promise<false> {
    await this.#send({ kind: 'refused', reason });
    return false;
  }

  /** not: socket.write, which can't carry descriptors; so everything goes this way, and in order. */
  async #send(reply: Reply, descriptors: readonly number[] = []): Promise<void> {
    const socket = this.#socket as unknown as { readonly _handle: { readonly fd: number } | null };
    const fd = socket._handle?.fd ?? -1;
    let carried = descriptors;
    for (let rest: Uint8Array = encodeReply(reply); rest.length > 0;) {
      if (this.#socket.destroyed) throw new Error('the other end is gone');
      const sent = sendRights(fd, rest, carried);
      if (sent < 0 && sent !== -EAGAIN) throw new Error(errnoName(sent));
      if (sent < 0) await this.#clock.sleep(AGAIN_MS);
      else {
        rest = rest.subarray(sent);
        carried = [];
      }
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
