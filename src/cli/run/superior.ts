/**
 * The superior of a role tells it when to start, to begin and to stop: the supervisor over IPC, or a person with signals. Under a
 * supervisor a role ends at once when that one is gone, because a new one may already be starting; but where the next
 * process is just taking over, which then is there, it gives what it has first. Called by role.ts.
 */
import process from 'node:process';
import { systemClock } from '../../lib/clock.ts';
import { type FromChild, TO_CHILD, type ToChild } from './ipc.ts';
import { onSignals } from './signals.ts';

export interface Superior<Facts> {
  /** `last`: what the role's process before this one told, where this one comes back after a death. */
  readonly start: Promise<{ readonly last?: Facts | undefined } | 'stop'>;
  readonly stop: Promise<'stop'>;
  /** Told that the role is ready; resolves when a role that takes over is to begin. */
  ready(facts: Facts, isSuccessor: boolean): Promise<'begin' | 'stop'>;
  begun(facts: Facts): Promise<void>;
  /** Told that the role can't start. False: this superior reads it on stderr, from the command line's front. */
  refused(message: string): Promise<boolean>;
  /** Nothing is heard any more. */
  leave(): void;
}

/** `up` has started this process and listens to it. */
export const isSupervised = (): boolean => process.send !== undefined;

/** Where `up` is gone as well, there is nothing to keep what was to be handed over for. */
export function endIfOrphaned(): void {
  if (isSupervised() && !process.connected) process.exit(1);
}

/** A person: the second signal ends the process at once. `tell`: it serves. */
export function person<Facts>(tell: (facts: Facts) => void): Superior<Facts> {
  const stop = Promise.withResolvers<'stop'>();
  onSignals(
    systemClock,
    () => stop.resolve('stop'),
    () => process.exit(1),
  );
  return {
    start: Promise.resolve({}),
    stop: stop.promise,
    ready: () => Promise.resolve('begin'),
    begun: async (facts) => tell(facts),
    refused: () => Promise.resolve(false),
    leave() {},
  };
}

/** `isHandingOver`: asked when the supervisor is gone. */
export function supervisor<Facts>(isHandingOver: () => boolean): Superior<Facts> {
  const start = Promise.withResolvers<ToChild<Facts> | 'stop'>();
  const begin = Promise.withResolvers<'begin'>();
  const stop = Promise.withResolvers<'stop'>();
  function onStop(): void {
    start.resolve('stop');
    stop.resolve('stop');
  }
  function onOrphaned(): void {
    if (!isHandingOver()) process.exit(1);
  }
  process.on('SIGTERM', onStop);
  // not: a terminal sends Ctrl-C, and that it is gone, to the whole group; the supervisor decides what happens and when.
  process.on('SIGINT', () => {}).on('SIGHUP', () => {});
  process.on('disconnect', onOrphaned);
  process.on('message', (message: ToChild<Facts>) => {
    if (message.kind === TO_CHILD.stop) onStop();
    else if (message.kind === TO_CHILD.begin) begin.resolve('begin');
    else start.resolve(message);
  });
  return {
    start: start.promise,
    stop: stop.promise,
    async ready(facts, isSuccessor) {
      await tellSupervisor({ kind: 'ready', facts });
      return isSuccessor ? Promise.race([begin.promise, stop.promise]) : 'begin';
    },
    begun: () => tellSupervisor({ kind: 'committed' }),
    async refused(message) {
      await tellSupervisor({ kind: 'refused', message });
      return true;
    },
    leave() {
      process.off('disconnect', onOrphaned);
      if (process.connected) process.disconnect?.();
    },
  };
}

function tellSupervisor<F>(message: FromChild<F>): Promise<void> {
  return new Promise((resolve) => {
    // A supervisor that is gone hears nothing; the disconnect handler ends this process.
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
