/**
 * Keeps one child process alive: starts it, starts it again when it dies, asks it to stop. The supervisor (up.ts) has
 * one per role. Knows nothing of what the child does.
 */
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observe/log.ts';
import type { FromChild, ToChild } from './family.ts';

export interface KeepOptions<F> {
  readonly role: string;
  /** With an IPC channel. Called again after each death, with what the last ready child told. */
  readonly spawn: (last: F | undefined) => ChildProcess;
  readonly clock: Clock;
  readonly log: Log;
  /** Each time a child is ready. */
  readonly ready: (facts: F) => void;
  /** The first child could not start; it is not started again. */
  readonly refused: (message: string, exitCode: number) => void;
}

export interface Kept {
  /** Asks the child to end by itself and resolves when it has. May be called twice. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** order: the first restart is quick, because a killed control must be back within two seconds. */
const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1_000;

export function keep<F>(options: KeepOptions<F>): Kept {
  const { role, clock, log } = options;
  let child: ChildProcess | undefined;
  let facts: F | undefined;
  let delay = FIRST_DELAY_MS;
  let stopping = false;
  const ended = Promise.withResolvers<void>();

  function start(): void {
    if (stopping) return ended.resolve();
    let refusal = '';
    const born = (child = options.spawn(facts));
    born.on('message', (message: FromChild<F>) => {
      if (message.kind === 'refused') {
        refusal = message.message;
        return;
      }
      facts = message.facts;
      delay = FIRST_DELAY_MS;
      options.ready(message.facts);
    });
    born.on('error', (error) => log.error(`can't run ${role}`, { error: error.message }));
    born.once('close', (code, signal) => died(refusal, code, signal));
  }

  function died(refusal: string, code: number | null, signal: NodeJS.Signals | null): void {
    child = undefined;
    if (stopping) return ended.resolve();
    if (facts === undefined && (refusal !== '' || code === 2)) {
      ended.resolve();
      return options.refused(refusal || `${role} could not start.`, 2);
    }
    log.warn(`${role} ended, starting it again`, { code, signal, ...(refusal && { reason: refusal }), inMs: delay });
    clock.after(delay, start);
    delay = Math.min(delay * 2, LONGEST_DELAY_MS);
  }

  start();
  return {
    stop() {
      stopping = true;
      if (child === undefined) ended.resolve();
      else if (child.connected) child.send({ kind: 'stop' } satisfies ToChild);
      return ended.promise;
    },
    kill() {
      stopping = true;
      child?.kill('SIGKILL');
    },
  };
}
