/** One process per role and data folder: takes the role's lock or says who has it. Called by up, control, edge, reset. */
import { Usage } from '../../config/usage.ts';
import type { Clock } from '../../lib/clock.ts';
import { acquireLock, type Lock } from '../../store/sqlite/lock.ts';

/** A supervisor that was killed leaves children that need this long, at most, to notice and end. */
export const LEAVING_MS = 2_000;
const LOOK_EVERY_MS = 20;

/** Waits `forMs` for the process that holds it to end. Throws Usage where it does not. */
export async function hold(path: string, forMs: number, clock: Clock): Promise<Lock> {
  const since = clock.monotonic();
  for (;;) {
    const lock = take(path);
    if (lock) return lock;
    if (clock.monotonic() - since >= forMs)
      throw new Usage(
        `Another EdgeFour is running on this data folder (${path} is held). End it, take over from it with --upgrade, or choose another with --data FOLDER.`,
      );
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** undefined: another process has it. Throws Usage where it can't be asked for. */
export function take(path: string): Lock | undefined {
  try {
    return acquireLock(path);
  } catch (error) {
    throw new Usage(
      `Can't lock ${path} (${(error as Error).message}). Run as the folder's owner, or choose another with --data FOLDER.`,
    );
  }
}
