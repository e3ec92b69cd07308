/**
 * Runs one role (control or edge) as this process: starts it, tells the supervisor or the person that it is ready, ends
 * it on a signal. Under a supervisor it ends at once when that one is gone, because a new one may already be starting.
 */
import process from 'node:process';
import { Usage } from '../config/usage.ts';
import type { FromChild, ToChild } from './family.ts';

export interface Running<F> {
  readonly facts: F;
  /** Ends what runs, taking the time it takes. */
  stop(): Promise<void>;
}

/** Resolves with the exit code, once the role has ended. `alone` is called when it is ready without a supervisor. */
export async function runRole<F>(start: () => Promise<Running<F>>, alone: (facts: F) => void): Promise<number> {
  const parent = process.send === undefined ? undefined : tellParent<F>;
  const asked = whenAskedToStop(parent !== undefined);
  let running: Running<F>;
  try {
    running = await start();
  } catch (error) {
    if (!(error instanceof Usage) || !parent) throw error;
    await parent({ kind: 'refused', message: error.message });
    return 2;
  }
  if (parent) await parent({ kind: 'ready', facts: running.facts });
  else alone(running.facts);
  await asked;
  await running.stop();
  return 0;
}

function tellParent<F>(message: FromChild<F>): Promise<void> {
  return new Promise((resolve) => {
    // A parent that is gone hears nothing; the disconnect handler ends this process.
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

function whenAskedToStop(supervised: boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let signals = 0;
  function onSignal(): void {
    signals += 1;
    if (signals > 1 && !supervised) process.exit(1);
    resolve();
  }
  process.on('SIGTERM', onSignal);
  if (supervised) {
    // not: a terminal sends Ctrl-C to the whole group; the supervisor decides what happens and when.
    process.on('SIGINT', () => {});
    process.on('message', (message: ToChild) => {
      if (message.kind === 'stop') resolve();
    });
    process.on('disconnect', () => process.exit(1));
  } else process.on('SIGINT', onSignal);
  return promise;
}
