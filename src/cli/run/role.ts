/**
 * Runs one role (control or edge) as this process: loads its code, starts it, tells the supervisor or the person when it
 * is ready, ends it on a signal. Under a supervisor it ends at once when that one is gone, because a new one may already
 * be starting; but where the next process is just taking over, which then is there, it gives what it has first.
 */
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { Usage } from '../../config/usage.ts';
import { systemClock } from '../../lib/clock.ts';
import { StoreUnusable } from '../../store/errors.ts';
import type { FromChild, ToChild } from './family.ts';
import { leave } from './leave.ts';
import { onSignals } from './signals.ts';
import { stay } from './stay.ts';

interface Role<Code, Facts> {
  /** The code that costs time to load; nothing else may happen in it. */
  readonly load: () => Promise<Code>;
  /** `last`: what the one before it told, where this one comes back after a death. */
  readonly start: (code: Code, last: Facts | undefined) => Promise<Running<Facts>>;
  /** Ready, and no supervisor there to hear it. */
  readonly alone: (facts: Facts) => void;
}

interface Running<Facts> {
  readonly ready: Promise<Facts>;
  /** It takes over from another process, so a supervisor says when to commit. */
  readonly isSuccessor: boolean;
  /** The next process has asked for what this one has, and is there still; or has all of it. */
  readonly isGiving: () => boolean;
  /** Ready: the process before it, if any, is told to let go; from here on this one can be taken over from. Throws Usage. */
  readonly commit: () => Promise<void>;
  /** The next process serves: this one is to end. Rejects where it can't go on. */
  readonly succeeded: Promise<unknown>;
  /** Ends what runs, taking the time it takes; also before it is ready. */
  readonly stop: () => Promise<void>;
}

/** Resolves with the exit code once the role has ended. */
export function runRole<Code, Facts>(role: Role<Code, Facts>): Promise<number> {
  return stay(live(role).then(leave));
}

/** `up` has started this process and listens to it. */
export const isSupervised = (): boolean => process.send !== undefined;

/** What was to be given is kept: where `up` is gone as well, nobody is there to keep it for. */
export function endIfOrphaned(): void {
  if (isSupervised() && !process.connected) process.exit(1);
}

async function live<Code, Facts>(role: Role<Code, Facts>): Promise<number> {
  const supervised = isSupervised();
  let running: Running<Facts> | undefined;
  const word = listen<Facts>(supervised, () => running?.isGiving() ?? false);
  const code = await role.load();
  const begin = await word.begin;
  if (begin === 'stop') return word.forget();
  try {
    running = await role.start(code, begin.last);
    const facts = await Promise.race([running.ready, word.stop]);
    if (facts !== 'stop') await settle(role, running, facts, word, supervised);
  } catch (error) {
    if (!supervised || !(error instanceof Usage || error instanceof StoreUnusable)) throw error;
    await tellParent({ kind: 'refused', message: error.message });
    await running?.stop();
    return word.forget(2);
  }
  await Promise.race([word.stop, running.succeeded]);
  await running.stop();
  return word.forget();
}

async function settle<Code, Facts>(
  role: Role<Code, Facts>,
  running: Running<Facts>,
  facts: Facts,
  word: ReturnType<typeof listen<Facts>>,
  supervised: boolean,
): Promise<void> {
  if (supervised) {
    await tellParent({ kind: 'ready', facts });
    if (running.isSuccessor && (await Promise.race([word.commit, word.stop])) === 'stop') return;
  }
  await running.commit();
  if (supervised) await tellParent({ kind: 'committed' });
  else role.alone(facts);
  // So that a start after a kill -9 is a quick one too.
  flushCompileCache();
}

function tellParent<F>(message: FromChild<F>): Promise<void> {
  return new Promise((resolve) => {
    // A parent that is gone hears nothing; the disconnect handler ends this process.
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

/** Hears the supervisor and signals. Alone, the second signal ends the process at once. */
function listen<Facts>(supervised: boolean, isGiving: () => boolean) {
  const begin = Promise.withResolvers<ToChild<Facts> | 'stop'>();
  const commit = Promise.withResolvers<'commit'>();
  const stop = Promise.withResolvers<'stop'>();
  function onStop(): void {
    begin.resolve('stop');
    stop.resolve('stop');
  }
  function orphaned(): void {
    if (!isGiving()) process.exit(1);
  }
  if (supervised) {
    process.on('SIGTERM', onStop);
    // not: a terminal sends Ctrl-C, and that it is gone, to the whole group; the supervisor decides what happens and when.
    process.on('SIGINT', () => {}).on('SIGHUP', () => {});
    process.on('disconnect', orphaned);
    process.on('message', (message: ToChild<Facts>) => {
      const { kind } = message;
      if (kind === 'stop') onStop();
      else if (kind === 'commit') commit.resolve('commit');
      else begin.resolve(message);
    });
  } else {
    onSignals(systemClock, onStop, () => process.exit(1));
    begin.resolve({ kind: 'begin' });
  }
  function forget(exitCode = 0): number {
    process.off('disconnect', orphaned);
    if (process.connected) process.disconnect?.();
    return exitCode;
  }
  return { begin: begin.promise, commit: commit.promise, stop: stop.promise, forget };
}
