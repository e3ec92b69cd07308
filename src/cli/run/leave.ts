/**
 * The end of a process that serves: what it has said is given a moment to be read, and a reader that has stalled does not
 * keep it. Called by `up` and by roles; other commands wait for their reader, who may be a person with a pager.
 */
import process from 'node:process';
import { systemClock } from '../../lib/clock.ts';

const WITHIN_MS = 1_000;

/** Gives the exit code back, or ends the process with it where something is unread after that time. */
export async function leave(exitCode: number): Promise<number> {
  const unread = () => [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  if (unread().length === 0) return exitCode;
  const read = unread().map((stream) => new Promise((resolve) => stream.write('', resolve)));
  await Promise.race([Promise.all(read), systemClock.sleep(WITHIN_MS)]);
  if (unread().length > 0) process.exit(exitCode);
  return exitCode;
}
