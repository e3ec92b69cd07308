/**
 * The life of a process that serves. Node ends when nothing but waiting is left, and our timers don't count, so work that
 * is not done keeps the process. After it, what the process has said is given a moment to be read. Called by `up` and by
 * roles; other commands wait for their reader, who may be a person with a pager.
 */
import process from 'node:process';
import { systemClock } from '../../lib/clock.ts';

const DAY_MS = 86_400_000;
const READ_WITHIN_MS = 1_000;

/** Gives the work's exit code back, or ends the process with it where a reader has stalled. */
export async function untilDone(work: Promise<number>): Promise<number> {
  const done = new AbortController();
  void stayUntil(done.signal);
  try {
    return await letRead(await work);
  } finally {
    done.abort();
  }
}

async function stayUntil(done: AbortSignal): Promise<void> {
  while (!done.aborted) await systemClock.sleep(DAY_MS, done);
}

async function letRead(exitCode: number): Promise<number> {
  const unread = () => [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0);
  if (unread().length === 0) return exitCode;
  const read = unread().map((stream) => new Promise((resolve) => stream.write('', resolve)));
  await Promise.race([Promise.all(read), systemClock.sleep(READ_WITHIN_MS)]);
  if (unread().length > 0) process.exit(exitCode);
  return exitCode;
}
