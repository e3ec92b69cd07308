/**
 * The end of the one that comes: asks the running process for what it has, and tells it when to let go. Its own process
 * serves nobody meanwhile, so it looks for answers every few milliseconds; it waits for none for ever.
 */
import { EAGAIN, EMFILE } from '../linux/abi.ts';
import type { Clock } from '../lib/clock.ts';
import { close, errnoName } from '../linux/ffi/libc.ts';
import { connectUnix, peerOf, receiveRights, sendRights } from '../linux/ffi/rights.ts';
import { shortPath } from '../linux/socket-path.ts';
import { type Asked, encodeLine, HandoffRefused, lineReader, PROTOCOL, readReply, type Reply } from './words.ts';

export interface Part {
  /** Descriptors of this process now. */
  readonly descriptors: readonly number[];
  readonly facts?: unknown;
}

export interface Answer {
  readonly parts: readonly Part[];
  readonly facts?: unknown;
}

export interface Predecessor {
  /** Rejects with HandoffRefused where it says no, ends, or says nothing for `withinMs`. */
  ask(what: Asked, withinMs?: number): Promise<Answer>;
  /** May be called twice. Before `serving`: the running one goes on as before. */
  close(): void;
}

const OTHER = 'the running EdgeFour does not speak as this one does';
const LOOK_EVERY_MS = 2;
/** limit: it answers calls that are under way before it gives up its store. */
const WITHIN_MS = 15_000;

/** undefined: nobody is there. Rejects with HandoffRefused where this process may not ask. */
export function knock(path: string, version: string, clock: Clock): Predecessor | undefined {
  const fd = connectUnix(shortPath(path));
  const name = fd < 0 ? errnoName(fd) : '';
  if (name === 'ENOENT' || name === 'ECONNREFUSED') return undefined;
  if (name === 'EACCES' || name === 'EPERM')
    throw new HandoffRefused(`${path} belongs to another user. Upgrade as the user that runs EdgeFour.`);
  if (fd < 0) throw new HandoffRefused(`${path} can't be connected to (${name})`);
  const lines = lineReader();
  const words: string[] = [];
  /** In the order in which they came; each word says how many are its own. */
  const descriptors: number[] = [];
  let isOpen = true;

  async function send(bytes: Uint8Array, deadline: number): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const sent = sendRights(fd, rest, []);
      if (sent >= 0) rest = rest.subarray(sent);
      else await later(sent, deadline);
    }
  }

  async function next(deadline: number): Promise<Reply> {
    while (words.length === 0) {
      const got = receiveRights(fd);
      if (typeof got === 'number') {
        await later(got, deadline);
        continue;
      }
      descriptors.push(...got.descriptors);
      if (got.bytes.length === 0) throw new HandoffRefused('the running EdgeFour has ended, or taken it back');
      const whole = lines(got.bytes);
      if (!whole) throw new HandoffRefused(OTHER);
      words.push(...whole);
    }
    const reply = readReply(words.shift() ?? '');
    if (!reply) throw new HandoffRefused(OTHER);
    return reply;
  }

  async function later(result: number, deadline: number): Promise<void> {
    if (result === -EMFILE) throw new HandoffRefused('descriptors are missing: raise the limit (ulimit -n)');
    if (result !== -EAGAIN) throw new HandoffRefused(`the running EdgeFour can't be heard (${errnoName(result)})`);
    if (clock.monotonic() > deadline) throw new HandoffRefused(silent(fd));
    await clock.sleep(LOOK_EVERY_MS);
  }

  return {
    async ask(ask, withinMs = WITHIN_MS) {
      const deadline = clock.monotonic() + withinMs;
      const parts: Part[] = [];
      try {
        await send(encodeLine({ ask, protocol: PROTOCOL, version }), deadline);
        for (;;) {
          const reply = await next(deadline);
          if (reply.kind === 'refused') throw new HandoffRefused(reply.reason);
          if (reply.kind === 'part' && reply.count > descriptors.length) throw new HandoffRefused(OTHER);
          if (reply.kind === 'part')
            parts.push({ descriptors: descriptors.splice(0, reply.count), facts: reply.facts });
          else if (descriptors.length > 0) throw new HandoffRefused(OTHER);
          else return { parts, facts: reply.facts };
        }
      } catch (error) {
        for (const fd of [...parts.flatMap((part) => part.descriptors), ...descriptors.splice(0)]) close(fd);
        throw error;
      }
    },
    close() {
      if (isOpen) close(fd);
      isOpen = false;
    },
  };
}

/** One that is stopped (SIGSTOP, a debugger) or stuck: who runs it has to say which it is. */
function silent(fd: number): string {
  const pid = peerOf(fd);
  if (pid === undefined) return 'the running EdgeFour does not answer';
  return `process ${pid} of the running EdgeFour does not answer, it may be stopped. Let it go on (kill -CONT ${pid}), or end it (kill -KILL ${pid}), and try again`;
}
