/**
 * The two ends of a takeover as a role sees them: who runs on this data folder and what it gives, and the door where the
 * next one asks. On Linux only, because descriptors travel there; elsewhere nobody has a door, and --upgrade is refused.
 * Called by the commands of the roles and by supervise.ts.
 */
import process from 'node:process';
import { Usage } from '../config/usage.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { Door, Giver } from '../lib/handoff/door.ts';
import { Inherited } from '../lib/handoff/inherited.ts';
import type { Answer, Predecessor } from '../lib/handoff/knock.ts';
import { type Asked, HandoffRefused } from '../lib/handoff/words.ts';
import { VERSION } from '../lib/version.ts';
import type { Log } from '../observe/log.ts';
import type { Lock } from '../store/sqlite/lock.ts';
import { hold, LEAVING_MS, take } from './lock.ts';

export interface Succession {
  ask(what: Asked): Promise<Answer>;
  /** Before `serving`: the running one goes on as before. May be called twice. */
  close(): void;
}

/** undefined: nobody is there. Throws Usage. */
export async function findRunning(door: string): Promise<Succession | undefined> {
  if (process.platform !== 'linux')
    throw new Usage('--upgrade needs Linux. End the running EdgeFour, then start this.');
  const { knock } = await loaded(() => import('../lib/handoff/knock.ts'));
  const predecessor: Predecessor | undefined = await told(async () => knock(door, VERSION, clock));
  return predecessor && { ask: (what) => told(() => predecessor.ask(what)), close: () => predecessor.close() };
}

/** The sockets that came with an answer, by what they are bound to. What else came is closed. */
export async function inherit({ parts }: Answer): Promise<Inherited> {
  const [{ listeningAt }, { close }] = await Promise.all([
    import('../lib/handoff/listeners.ts'),
    import('../lib/ffi/libc.ts'),
  ]);
  const sockets = parts.flatMap(({ descriptors }) =>
    descriptors.flatMap((fd) => {
      const listening = listeningAt(fd);
      if (!listening) close(fd);
      return listening ?? [];
    }),
  );
  return Inherited.of(sockets);
}

/**
 * From here on this process is the one; resolves with the lock that the other one had. One that has died meanwhile has let
 * go too: the lock tells. Throws Usage where it is alive and does not let go.
 */
export async function succeed(running: Succession, path: string): Promise<Lock> {
  const refusal = await running.ask('serving').then(
    () => undefined,
    (error: unknown) => error,
  );
  running.close();
  const lock = refusal ? take(path) : await hold(path, LEAVING_MS, clock);
  if (!lock) throw refusal;
  return lock;
}

/** Nobody wants the rest: who connects there is refused from now on. */
export function letGo(inherited: Inherited): Promise<void> {
  return closeAll(inherited.takeRest().map(({ fd }) => fd));
}

export async function closeAll(fds: readonly number[]): Promise<void> {
  if (fds.length === 0) return;
  const { close } = await import('../lib/ffi/libc.ts');
  for (const fd of fds) close(fd);
}

/** What the giving end needs; loaded when somebody asks. */
export async function sending() {
  const [door, sockets] = await Promise.all([import('../lib/handoff/door.ts'), import('../lib/handoff/listeners.ts')]);
  return { ...door, ...sockets };
}

/** undefined: this machine can't; the process runs without, and says so. */
export async function openDoorAt(path: string, giver: Giver, log: Log): Promise<Door | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const { openDoor } = await import('../lib/handoff/door.ts');
    return await openDoor(path, giver, clock);
  } catch (error) {
    log.warn('this process cannot be upgraded without an interruption', { reason: (error as Error).message });
    return undefined;
  }
}

async function loaded<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Usage(
      `--upgrade can't work here (${(error as Error).message}). End the running EdgeFour, then start this.`,
    );
  }
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HandoffRefused)) throw error;
    throw new Usage(`The upgrade did not happen: ${error.message}.`);
  }
}
