/**
 * The end of the next process: asks the running one for what it has, and tells it when to let go. The next process serves
 * no client meanwhile, so it looks for answers every few milliseconds; it waits for none for ever. Called by the roles.
 */
import { EAGAIN, EMFILE } from '../linux/abi.ts';
import type { Clock } from '../lib/clock.ts';
import { close, errnoName } from '../linux/ffi/libc.ts';
import { connectUnix, peerOf, receiveRights, sendRights } from '../linux/ffi/rights.ts';
import { shortPath } from '../linux/socket-path.ts';
import { encodeAsk, HandoffRefused, lineReader, PROTOCOL, readReply, type Reply, type Word } from './words.ts';

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
  ask(word: Word, withinMs?: number): Promise<Answer>;
  /** May be called twice. Before `pause`: the running one goes on as before. */
  close(): void;
}

const OTHER = 'the running EdgeFour does not speak as this one does';
const LOOK_EVERY_MS = 2;
/** limit: it answers calls that are under way before it gives up its store. */
const WITHIN_MS = 15_000;

/** undefined: no process is there. Throws HandoffRefused where this process may not ask. */
export function findPredecessor(path: string, version: string, clock: Clock): Predecessor | undefined {
  const fd = connectUnix(shortPath(path));
  const name = fd < 0 ? errnoName(fd) : '';
  if (name === 'ENOENT' || name === 'ECONNREFUSED') return undefined;
  if (name === 'EACCES' || name === 'EPERM')
    throw new HandoffRefused(`${path} belongs to another user. Upgrade as the user that runs EdgeFour.`);
  if (fd < 0) throw new HandoffRefused(`${path} can't be connected to (${name})`);
  return new RunningProcess(fd, version, clock);
}

class RunningProcess implements Predecessor {
  readonly #fd: number;
  readonly #version: string;
  readonly #clock: Clock;
  readonly #lines = lineReader();
  readonly #heard: string[] = [];
  /** In the order in which they came; each reply says how many are its own. */
  readonly #descriptors: number[] = [];
  #isOpen = true;

  constructor(fd: number, version: string, clock: Clock) {
    this.#fd = fd;
    this.#version = version;
    this.#clock = clock;
  }

  async ask(word: Word, withinMs = WITHIN_MS): Promise<Answer> {
    const deadline = this.#clock.monotonic() + withinMs;
    const parts: Part[] = [];
    try {
      await this.#send(encodeAsk({ word, protocol: PROTOCOL, version: this.#version }), deadline);
      for (;;) {
        const reply = await this.#next(deadline);
        if (reply.kind === 'done' && this.#descriptors.length === 0) return { parts, facts: reply.facts };
        parts.push(this.#part(reply));
      }
    } catch (error) {
      for (const fd of [...parts.flatMap((part) => part.descriptors), ...this.#descriptors.splice(0)]) close(fd);
      throw error;
    }
  }

  close(): void {
    if (this.#isOpen) close(this.#fd);
    this.#isOpen = false;
  }

  #part(reply: Reply): Part {
    if (reply.kind === 'refused') throw new HandoffRefused(reply.reason);
    if (reply.kind === 'done' || reply.count > this.#descriptors.length) throw new HandoffRefused(OTHER);
    return { descriptors: this.#descriptors.splice(0, reply.count), facts: reply.facts };
  }

  async #send(bytes: Uint8Array, deadline: number): Promise<void> {
    for (let rest = bytes; rest.length > 0;) {
      const sent = sendRights(this.#fd, rest, []);
      if (sent >= 0) rest = rest.subarray(sent);
      else await this.#later(sent, deadline);
    }
  }

  async #next(deadline: number): Promise<Reply> {
    while (this.#heard.length === 0) {
      const got = receiveRights(this.#fd);
      if (typeof got === 'number') {
        await this.#later(got, deadline);
        continue;
      }
      this.#descriptors.push(...got.descriptors);
      if (got.bytes.length === 0) throw new HandoffRefused('the running EdgeFour has ended, or taken it back');
      const whole = this.#lines(got.bytes);
      if (!whole) throw new HandoffRefused(OTHER);
      this.#heard.push(...whole);
    }
    const reply = readReply(this.#heard.shift() ?? '');
    if (!reply) throw new HandoffRefused(OTHER);
    return reply;
  }

  async #later(result: number, deadline: number): Promise<void> {
    if (result === -EMFILE) throw new HandoffRefused('descriptors are missing: raise the limit (ulimit -n)');
    if (result !== -EAGAIN) throw new HandoffRefused(`the running EdgeFour can't be heard (${errnoName(result)})`);
    if (this.#clock.monotonic() > deadline) throw new HandoffRefused(silent(this.#fd));
    await this.#clock.sleep(LOOK_EVERY_MS);
  }
}

/** Says which process it is that is stopped (SIGSTOP, a debugger) or stuck, so that its owner can act. */
function silent(fd: number): string {
  const pid = peerOf(fd);
  if (pid === undefined) return 'the running EdgeFour does not answer';
  return `process ${pid} of the running EdgeFour does not answer, it may be stopped. Let it go on (kill -CONT ${pid}), or end it (kill -KILL ${pid}), and try again`;
}
