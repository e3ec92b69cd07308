/**
 * Runs one role (control or edge) as this process, from loading its code to the exit code: started when its superior says
 * so, ended on a word or a signal, or when the next process has taken over. Knows nothing of what a role does.
 */
import { flushCompileCache } from 'node:module';
import { Usage } from '../../config/usage.ts';
import { StoreUnusable } from '../../store/errors.ts';
import { isSupervised, person, type Superior, supervisor } from './superior.ts';
import { untilDone } from './until-done.ts';

interface Role<Code, Facts> {
  /** The code that costs time to load; nothing else may happen in it. */
  readonly load: () => Promise<Code>;
  /** `last`: what the one before it told, where this one comes back after a death. */
  readonly start: (code: Code, last: Facts | undefined) => Promise<Running<Facts>>;
  /** It serves, and no supervisor is there to hear it. */
  readonly alone: (facts: Facts) => void;
}

/** A role as it runs. The words are those of docs/explanation/upgrade.md. */
export interface Running<Facts> {
  readonly ready: Promise<Facts>;
  /** It takes over from another process, so a supervisor says when to begin. */
  readonly isSuccessor: boolean;
  /** The next process has asked for what this one has, and is there still; or has all of it. */
  readonly isHandingOver: boolean;
  /** The process before it, if any, is told to let go; from here on this one can be taken over from. Throws Usage. */
  begin(): Promise<void>;
  /** The next process serves: this one is to end. Rejects where it can't go on. */
  readonly gone: Promise<void>;
  /** Ends what runs, taking the time it takes; also before it is ready. */
  stop(): Promise<void>;
}

/** Resolves with the exit code once the role has ended. */
export function runRole<Code, Facts>(role: Role<Code, Facts>): Promise<number> {
  return untilDone(live(role));
}

async function live<Code, Facts>(role: Role<Code, Facts>): Promise<number> {
  let running: Running<Facts> | undefined;
  const superior = isSupervised()
    ? supervisor<Facts>(() => running?.isHandingOver ?? false)
    : person<Facts>((facts) => role.alone(facts));
  const code = await role.load();
  const start = await superior.start;
  if (start === 'stop') return end(superior, 0);
  try {
    running = await role.start(code, start.last);
    await serve(running, superior);
  } catch (error) {
    if (!(error instanceof Usage || error instanceof StoreUnusable)) throw error;
    if (!(await superior.refused(error.message))) throw error;
    await running?.stop();
    return end(superior, 2);
  }
  await Promise.race([superior.stop, running.gone]);
  await running.stop();
  return end(superior, 0);
}

async function serve<Facts>(running: Running<Facts>, superior: Superior<Facts>): Promise<void> {
  const facts = await Promise.race([running.ready, superior.stop]);
  if (facts === 'stop' || (await superior.ready(facts, running.isSuccessor)) === 'stop') return;
  await running.begin();
  await superior.begun(facts);
  // So that a start after a kill -9 is a quick one too.
  flushCompileCache();
}

function end(superior: Pick<Superior<unknown>, 'leave'>, exitCode: number): number {
  superior.leave();
  return exitCode;
}
