/**
 * The two ends of a takeover as a role sees them: who runs on this data folder and what it gives, and the door where the
 * next one asks. On Linux only, because descriptors travel there; elsewhere nobody has a door, and --upgrade is refused.
 * Called by the commands of the roles and by supervise.ts.
 */
import process from 'node:process';
import { Usage } from '../../config/usage.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { Door, Giver } from '../../handoff/door.ts';
import { Inherited } from '../../handoff/inherited.ts';
import type { Answer, Predecessor } from '../../handoff/knock.ts';
import { type Asked, HandoffRefused } from '../../handoff/words.ts';
import { VERSION } from '../../program/version.ts';
import type { Log } from '../../observe/log.ts';
import type { Lock } from '../../store/sqlite/lock.ts';
import { hold, LEAVING_MS } from '../run/lock.ts';

/** How a role begins: after the one that runs, which has the lock until this one serves; or, where nobody does, with it. */
type Beginning =
  | { readonly running: Succession; readonly answer: Answer; readonly lock?: undefined }
  | { readonly running?: undefined; readonly answer?: undefined; readonly lock: Lock };

export interface Succession {
  ask(what: Asked): Promise<Answer>;
  /** Before `serving`: the running one goes on as before. May be called twice. */
  close(): void;
}

/**
 * `hasNoDoor`: what to say where one runs that has none. One that ends while it is asked has let go: then this one goes on
 * alone. Throws Usage.
 */
export async function takeOver(door: string, path: string, hasNoDoor?: string): Promise<Beginning> {
  const running = await findRunning(door);
  if (!running) return { lock: await letGoOf(path, hasNoDoor === undefined ? undefined : new Usage(hasNoDoor)) };
  try {
    return { running, answer: await running.ask('take') };
  } catch (error) {
    running.close();
    return { lock: await letGoOf(path, error) };
  }
}

/** The lock of one that is ending, or has died. Throws `refusal` where it lives. */
async function letGoOf(path: string, refusal: unknown): Promise<Lock> {
  return hold(path, LEAVING_MS, clock).catch((error: unknown) => {
    throw refusal ?? error;
  });
}

/** undefined: nobody is there. Throws Usage. */
async function findRunning(door: string): Promise<Succession | undefined> {
  if (process.platform !== 'linux')
    throw new Usage('--upgrade needs Linux. End the running EdgeFour, then start this.');
  const { knock } = await loaded(() => import('../../handoff/knock.ts'));
  const predecessor: Predecessor | undefined = await told(async () => knock(door, VERSION, clock));
  return predecessor && { ask: (what) => told(() => predecessor.ask(what)), close: () => predecessor.close() };
}

/** The sockets that came with an answer, by what they are bound to. What else came is closed. */
export async function inherit({ parts }: Answer): Promise<Inherited> {
  const [{ listeningAt }, { close }] = await Promise.all([
    import('../../handoff/listeners.ts'),
    import('../../linux/ffi/libc.ts'),
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
 * Asks for more; `outlived` has the lock where the running one has died meanwhile. Throws Usage where it is alive and does
 * not answer.
 */
export async function askOrOutlive(
  running: Succession,
  what: Asked,
  path: string,
): Promise<{ readonly answer?: Answer; readonly outlived?: Lock }> {
  try {
    return { answer: await running.ask(what) };
  } catch (error) {
    return { outlived: await letGoOf(path, error) };
  }
}

/** From here on this process is the one; resolves with the lock that the other one had. Throws Usage. */
export async function succeed(running: Succession, path: string): Promise<Lock> {
  const { outlived } = await askOrOutlive(running, 'serving', path).finally(() => running.close());
  return outlived ?? hold(path, LEAVING_MS, clock);
}

/** Nobody wants the rest: who connects there is refused from now on. */
export function letGo(inherited: Inherited): Promise<void> {
  return closeAll(inherited.takeRest().map(({ fd }) => fd));
}

export async function closeAll(fds: readonly number[]): Promise<void> {
  if (fds.length === 0) return;
  const { close } = await import('../../linux/ffi/libc.ts');
  for (const fd of fds) close(fd);
}

/** What the giving end needs; loaded when somebody asks. */
export async function sending() {
  const [door, sockets] = await Promise.all([import('../../handoff/door.ts'), import('../../handoff/listeners.ts')]);
  return { ...door, ...sockets };
}

/** undefined: this machine can't; the process runs without, and says so. */
export async function openDoorAt(path: string, giver: Giver, log: Log): Promise<Door | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const { openDoor } = await import('../../handoff/door.ts');
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
