/**
 * Keeps one child process alive: starts it, starts it again when it dies, asks it to stop. The supervisor has one per
 * role. Knows nothing of what the child does.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import type { FromChild, ToChild } from './family.ts';

interface KeepOptions<F> {
  readonly role: string;
  /** Already started, with an IPC channel. */
  readonly first: ChildProcess;
  /** Another one after a death; `last` is what the last ready child told. undefined: not now, asked again later. */
  readonly spawn: (last: F | undefined) => ChildProcess | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Each time a child is ready. */
  readonly ready: (facts: F) => void;
  /** The first child's word to begin waits for it. */
  readonly after?: Promise<unknown>;
  /** Whether another process serves until this one has taken over: one that ends before is not started again then. */
  readonly goesBack?: () => boolean;
  /** No child has ever been ready, and this one says that it can't be: it is not started again. */
  readonly refused: (message: string) => void;
}

export interface Kept {
  /** The child takes over now. Resolves when it has; not at all where it ends before. */
  commit(): Promise<void>;
  /** Another process is about to take over: a child that ends is not started again, until `resume`. */
  hold(): void;
  resume(): void;
  /** Asks the child to end by itself and resolves when it has. May be called twice. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** order: the first restart is quick, and none is slow, because a killed control must be back within two seconds. */
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1_000;

export function keep<F>(options: KeepOptions<F>): Kept {
  const { role, clock, log } = options;
  let child: ChildProcess | undefined;
  let facts: F | undefined;
  let delay = FIRST_DELAY_MS;
  let stopping = false;
  let hasCommitted = options.goesBack === undefined;
  let mustCommit = false;
  let isHeld = false;
  let isMissing = false;
  const committed = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();

  function adopt(born: ChildProcess, after?: Promise<unknown>): void {
    let refusal: string | undefined;
    child = born;
    born.on('message', (message: FromChild<F>) => {
      if (message.kind === 'refused') {
        refusal = message.message;
        return;
      }
      if (message.kind === 'committed') {
        hasCommitted = true;
        return committed.resolve();
      }
      facts = message.facts;
      delay = FIRST_DELAY_MS;
      options.ready(message.facts);
      if (mustCommit) tell(born, { kind: 'commit' });
    });
    const isOver = born.exitCode !== null || born.signalCode !== null || born.pid === undefined;
    if (isOver) return died(refusal, born);
    born.once('close', () => died(refusal, born));
    if (!after) tell(born, { kind: 'begin', last: facts });
    else void after.then(() => tell(born, { kind: 'begin' }));
  }

  function died(refusal: string | undefined, { exitCode: code, signalCode: signal }: ChildProcess): void {
    child = undefined;
    if (stopping) return ended.resolve();
    if ((!hasCommitted && options.goesBack?.()) || (facts === undefined && refusal !== undefined)) {
      ended.resolve();
      return options.refused(refusal ?? `${role} ended before it could take over (${signal ?? `exit code ${code}`}).`);
    }
    isMissing = isHeld;
    if (isHeld) return;
    log.warn(`${role} ended, starting it again`, { code, signal, ...(refusal && { reason: refusal }), inMs: delay });
    later();
  }

  function later(): void {
    clock.after(delay, () => {
      if (stopping) ended.resolve();
      else startAgain();
    });
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
  }

  function startAgain(): void {
    const born = options.spawn(facts);
    if (born) adopt(born);
    else later();
  }

  adopt(options.first, options.after);
  return {
    commit() {
      mustCommit = true;
      if (child) tell(child, { kind: 'commit' });
      return committed.promise;
    },
    hold() {
      isHeld = true;
    },
    resume() {
      isHeld = false;
      if (isMissing && !stopping) startAgain();
      isMissing = false;
    },
    stop() {
      stopping = true;
      if (child) tell(child, { kind: 'stop' });
      else ended.resolve();
      return ended.promise;
    },
    kill() {
      stopping = true;
      child?.kill('SIGKILL');
    },
  };
}

/** One that is just ending can't be told; its end is what will be heard of. */
function tell(child: ChildProcess, message: ToChild): void {
  if (child.connected) child.send(message, () => {});
}
