/**
 * Runs one role (control or edge) as this process: starts it, tells the supervisor or the person when it is ready, ends
 * it on a signal. Under a supervisor it ends at once when that one is gone, because a new one may already be starting.
 */
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { Usage } from '../config/usage.ts';
import { StoreUnusable } from '../store/errors.ts';
import type { FromChild, ToChild } from './family.ts';

export interface Running<F> {
  readonly ready: Promise<F>;
  /** Ends what runs, taking the time it takes; also before it is ready. */
  readonly stop: () => Promise<void>;
}

/** Resolves with the exit code once the role has ended. `alone` is called when it is ready without a supervisor. */
export async function runRole<F>(start: () => Promise<Running<F>>, alone: (facts: F) => void): Promise<number> {
  const supervised = process.send !== undefined;
  const asked = whenAskedToStop(supervised);
  let running: Running<F>;
  try {
    running = await start();
  } catch (error) {
    if (!supervised || !(error instanceof Usage || error instanceof StoreUnusable)) throw error;
    await tellParent({ kind: 'refused', message: error.message });
    return 2;
  }
  const facts = await Promise.race([running.ready, asked.promise]);
  if (facts !== undefined) {
    if (supervised) await tellParent({ kind: 'ready', facts });
    else alone(facts);
    // So that a start after a kill -9 is a quick one too.
    flushCompileCache();
  }
  await asked.promise;
  await running.stop();
  asked.forget();
  return 0;
}

function tellParent<F>(message: FromChild<F>): Promise<void> {
  return new Promise((resolve) => {
    // A parent that is gone hears nothing; the disconnect handler ends this process.
    process.send?.(message, undefined, undefined, () => resolve());
  });
}

function whenAskedToStop(supervised: boolean) {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let asked = 0;
  function onSignal(): void {
    asked += 1;
    if (asked > 1 && !supervised) process.exit(1);
    resolve(undefined);
  }
  const orphaned = (): never => process.exit(1);
  process.on('SIGTERM', onSignal);
  if (supervised) {
    // not: a terminal sends Ctrl-C to the whole group; the supervisor decides what happens and when.
    process.on('SIGINT', () => {});
    process.on('disconnect', orphaned);
    process.on('message', (message: ToChild) => {
      if (message.kind === 'stop') resolve(undefined);
    });
  } else process.on('SIGINT', onSignal);
  function forget(): void {
    process.off('disconnect', orphaned);
    if (process.connected) process.disconnect?.();
  }
  return { promise, forget };
}
