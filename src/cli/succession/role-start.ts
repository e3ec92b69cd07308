/**
 * How a role starts on its data folder: with its lock, or, with --upgrade, after the running process, which has the lock
 * until this one begins. A running process that dies meanwhile leaves its lock, and this one goes on alone. On Linux only;
 * elsewhere --upgrade is refused. Called by `up` and by the roles.
 */
import process from 'node:process';
import { Usage } from '../../config/usage.ts';
import type { Answer, Predecessor } from '../../handoff/predecessor.ts';
import { HandoffRefused, type Word } from '../../handoff/words.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { VERSION } from '../../program/version.ts';
import type { Lock } from '../../store/sqlite/lock.ts';
import { hold, LEAVING_MS, take } from './lock.ts';

export class RoleStart {
  /** undefined: the running process has it. */
  lock: Lock | undefined;
  /** What the running process answered when it was asked to rest; undefined: there was none. */
  readonly answer: Answer | undefined;
  readonly #path: string;
  readonly #running: Predecessor | undefined;

  constructor(path: string, lock: Lock | undefined, running?: Predecessor, answer?: Answer) {
    this.#path = path;
    this.lock = lock;
    this.#running = running;
    this.answer = answer;
  }

  get isSuccessor(): boolean {
    return this.#running !== undefined;
  }

  /** Whether the running process has died by now: then this one has its lock. */
  isAlone(): boolean {
    return (this.lock ??= take(this.#path)) !== undefined;
  }

  /** undefined: the running process has died meanwhile, and its lock is here. Throws Usage where it lives and says no. */
  async ask(word: Word): Promise<Answer | undefined> {
    const running = this.#running;
    try {
      return running && (await orRefusal(() => running.ask(word)));
    } catch (error) {
      if (this.lock) throw error;
      this.lock = await lockOfDead(this.#path, error);
      return undefined;
    }
  }

  /** From here on this process is the one, and has the lock. Throws Usage. */
  async begin(): Promise<void> {
    if (!this.lock) await this.ask('pause').finally(() => this.close());
    this.lock ??= await hold(this.#path, LEAVING_MS, clock);
    this.close();
  }

  async takeLock(): Promise<void> {
    this.lock = await hold(this.#path, LEAVING_MS, clock);
  }

  /** Before `begin`: the running process goes on as before. May be called twice. */
  close(): void {
    this.#running?.close();
  }

  /** May be called twice. */
  release(): void {
    this.lock?.release();
  }
}

/** Waits `forMs` for a process that is just ending. Throws Usage. */
export async function startAlone(path: string, forMs = LEAVING_MS): Promise<RoleStart> {
  return new RoleStart(path, await hold(path, forMs, clock));
}

/** `hasNoDoor`: what to say where one runs that has none. Throws Usage. */
export async function takeOver(door: string, path: string, hasNoDoor?: string): Promise<RoleStart> {
  const running = await findRunning(door);
  if (!running)
    return new RoleStart(path, await lockOfDead(path, hasNoDoor === undefined ? undefined : new Usage(hasNoDoor)));
  try {
    return new RoleStart(path, undefined, running, await orRefusal(() => running.ask('rest')));
  } catch (error) {
    running.close();
    return new RoleStart(path, await lockOfDead(path, error));
  }
}

/** The lock of one that is ending, or has died. Throws `refusal` where it lives. */
function lockOfDead(path: string, refusal: unknown): Promise<Lock> {
  return hold(path, LEAVING_MS, clock).catch((error: unknown) => {
    throw refusal ?? error;
  });
}

/** undefined: none is there. Throws Usage. */
async function findRunning(door: string): Promise<Predecessor | undefined> {
  if (process.platform !== 'linux')
    throw new Usage('--upgrade needs Linux. End the running EdgeFour, then start this.');
  const { findPredecessor } = await import('../../handoff/predecessor.ts').catch((error: Error) => {
    throw new Usage(`--upgrade can't work here (${error.message}). End the running EdgeFour, then start this.`);
  });
  return orRefusal(async () => findPredecessor(door, VERSION, clock));
}

async function orRefusal<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HandoffRefused)) throw error;
    throw new Usage(`The upgrade did not happen: ${error.message}.`);
  }
}
