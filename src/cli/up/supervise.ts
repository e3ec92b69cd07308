/**
 * Control and edge as two children of this process, from their start to the last one's end: ready file and banner when
 * both are ready, restarts while they live, the order of the end. Called by `up` under its lock.
 */
import process from 'node:process';
import { type DataFolder, openDataFolder } from '../../config/data-folder.ts';
import { type Config, readConfig } from '../../config/read.ts';
import { HandoffRefused } from '../../handoff/words.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { VERSION } from '../../program/version.ts';
import { Handover, type HandedOver, NOTHING } from '../succession/handover.ts';
import { take } from '../succession/lock.ts';
import { RoleStart, startAlone, takeOver } from '../succession/role-start.ts';
import { tellForeground } from './background.ts';
import { banner } from './banner.ts';
import { type Children, endAtOnce, endInOrder, type Facts, type First, startChildren } from './children.ts';
import { logFor } from '../run/log.ts';
import { ReadyFile } from '../run/ready-file.ts';
import { onSignals } from '../run/signals.ts';
import { UPGRADE } from '../run/start-flags.ts';
import { tellSystemd } from './systemd.ts';

interface Place {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly start: RoleStart;
  readonly log: Log;
  readonly readyFile: ReadyFile;
}

/** Resolves with the exit code. Throws Usage where settings or folder are not in order; the children are gone then. */
export async function supervise(args: readonly string[], first: First): Promise<number> {
  try {
    const { config, flags } = readConfig(args, ['up'], UPGRADE);
    const folder = openDataFolder(config.data);
    const start = await startUp(folder, flags.has('upgrade'));
    const place = { config, folder, start, log: logFor(config, 'up'), readyFile: new ReadyFile(config.readyFile) };
    try {
      return await live(args, first, place);
    } finally {
      start.release();
      start.close();
    }
  } finally {
    for (const child of [first.control, first.edge]) child.kill('SIGKILL');
  }
}

const NO_DOOR =
  'The EdgeFour that runs on this data folder has no door for the next one: it is just starting or ending, or of a version without. Try again, or end it and start this one.';

async function startUp({ locks, doors }: DataFolder, isUpgrade: boolean): Promise<RoleStart> {
  if (!isUpgrade) return startAlone(locks.up, 0);
  const lock = take(locks.up);
  return lock ? new RoleStart(locks.up, lock) : takeOver(doors.up, locks.up, NO_DOOR);
}

type End = 'asked' | 'refused' | 'gone';

async function live(args: readonly string[], first: First, place: Place): Promise<number> {
  const { config, start, log, readyFile } = place;
  const end = Promise.withResolvers<End>();
  const ending = new AbortController();
  function refused(message: string): void {
    process.stderr.write(`edgefour: ${message}\n`);
    end.resolve('refused');
  }
  if (!start.isSuccessor) readyFile.remove();
  // Where the running `up` has died, this one goes on as if it had been the first.
  const goesBack = start.isSuccessor ? () => !start.isAlone() : undefined;
  const children = startChildren(first, { args, log, refused, goesBack });
  const handover = new Handover(handedOver(children, place, ending.signal));
  void handover.gone.then(() => end.resolve('gone'));
  const begun = children.ready.then((facts) => begin(place, children, facts, handover));
  begun.catch((error: Error) => refused(error.message));
  const forgetSignals = onSignals(
    clock,
    () => end.resolve('asked'),
    () => endAtOnce(children),
  );
  const why = await end.promise;
  ending.abort();
  if (why !== 'gone') await handover.close();
  await endInOrder(children, why !== 'refused' || start.isSuccessor ? config.drain * 1_000 : 0);
  forgetSignals();
  readyFile.cancel();
  // Else it is the next one's.
  if (why !== 'gone' && start.lock) readyFile.remove();
  return why === 'refused' ? 2 : 0;
}

/** Both children are ready: this `up` takes over, where there is one before it, and tells those who wait for it. */
async function begin(
  { config, folder, start, log, readyFile }: Place,
  children: ReturnType<typeof startChildren>,
  facts: Facts,
  handover: Handover,
): Promise<void> {
  if (start.isSuccessor) {
    await Promise.all([children.control.begin(), children.edge.begin()]);
    // order: the old one may end as soon as it has heard `pause`.
    await tellSystemd(log);
    await start.begin();
  }
  await handover.open(folder.doors.up, log);
  readyFile.write(facts.control);
  // Monotonic time begins with the process.
  const startedInMs = clock.monotonic();
  process.stdout.on('error', () => {}).write(banner({ version: VERSION, config, folder, ...facts, startedInMs }));
  tellForeground();
}

function handedOver({ control, edge }: Children, { start, log }: Place, ending: AbortSignal): HandedOver {
  const children = [control, edge];
  return {
    async rest(version) {
      if (ending.aborted) throw new HandoffRefused('the running EdgeFour is ending');
      log.info('another EdgeFour takes over', { version });
      for (const child of children) child.rest();
      return NOTHING;
    },
    handOver: () => Promise.resolve(NOTHING),
    async pause() {
      start.release();
    },
    async resume() {
      log.warn('the other EdgeFour did not come to serve; this one goes on');
      for (const child of children) child.resume();
    },
  };
}
