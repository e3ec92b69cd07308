/**
 * What a process does for the next one, from the moment it serves: a door (handoff/door.ts) where the next one asks, and
 * the role's own answer to each word of docs/explanation/upgrade.md. On Linux only, because descriptors travel there;
 * elsewhere nothing opens. Called by `up` and by the roles.
 */
import process from 'node:process';
import type { Door } from '../../handoff/door.ts';
import type { Answer } from '../../handoff/predecessor.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { answers } from './sockets.ts';

/** The role's part. What one rejects with is told to the next process as the reason. */
export interface HandedOver {
  rest(version: string): Promise<Answer>;
  handOver(): Promise<Answer>;
  /** The door is closed by then. */
  pause(): Promise<void>;
  /** Rejects where the role can't go on. */
  resume(): Promise<void>;
}

export const NOTHING: Answer = { parts: [] };

export class Handover {
  readonly #role: HandedOver;
  readonly #gone = Promise.withResolvers<void>();
  #door: Door | undefined;
  #isUnderWay = false;

  constructor(role: HandedOver) {
    this.#role = role;
    // It may be heard of later.
    this.#gone.promise.catch(() => {});
  }

  /** The next process has asked for what this one has, and is there still; or has all of it. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** The next process serves. Rejects where this one was asked, was not taken over from, and can't go on. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** From here on this process can be taken over from. Where this machine can't do that, the log says so. */
  async open(path: string, log: Log): Promise<void> {
    if (process.platform !== 'linux') return;
    try {
      const { openDoor } = await import('../../handoff/door.ts');
      this.#door = await openDoor(path, this.#outgoing(), clock);
      // order: now, because the files may be others when the next process asks.
      await answers();
    } catch (error) {
      log.warn('this process cannot be upgraded without an interruption', { reason: (error as Error).message });
    }
  }

  /** May be called twice, and before `open`. */
  async close(): Promise<void> {
    await this.#door?.close();
  }

  #outgoing() {
    const role = this.#role;
    return {
      rest: (version: string): Promise<Answer> => {
        this.#isUnderWay = true;
        return role.rest(version);
      },
      handOver: () => role.handOver(),
      pause: async (): Promise<Answer> => {
        await this.close();
        await role.pause();
        return NOTHING;
      },
      resume: (): void => {
        this.#isUnderWay = false;
        role.resume().catch(this.#gone.reject);
      },
      gone: this.#gone.resolve,
    };
  }
}
