/**
 * Control and edge as two children of this process, from their start to the last one's end: ready file and banner when
 * both are ready, restarts while they live, the order of the end. Called by `up` under its lock.
 */
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';
import { type DataFolder, openDataFolder } from '../../config/data-folder.ts';
import { type PatientFile, removeIfPossible } from '../../config/patient-file.ts';
import { type Config, readConfig } from '../../config/read.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { Door, Giver } from '../../handoff/door.ts';
import { HandoffRefused } from '../../handoff/words.ts';
import { VERSION } from '../../program/version.ts';
import type { Lock } from '../../store/sqlite/lock.ts';
import { tellForeground } from './background.ts';
import { banner } from './banner.ts';
import { restarts } from './child.ts';
import type { ControlFacts, EdgeFacts } from './family.ts';
import { keep, type Kept } from './keep.ts';
import { hold, take } from './lock.ts';
import { logFor } from './log.ts';
import { writeReadyFile } from './ready-file.ts';
import { tellSystemd } from './systemd.ts';
import { onSignals } from './signals.ts';
import { stay } from './stay.ts';
import { openDoorAt, succeed, type Succession, takeOver as takeOverFrom } from '../succession/succession.ts';
import { UPGRADE } from '../succession/upgrade-flag.ts';

/** After the drain time the edge has this long to end by itself. */
const GRACE_MS = 3_000;
const TELL_AFTER_MS = 1_000;

interface First {
  readonly control: ChildProcess;
  readonly edge: ChildProcess;
}

/** Resolves with the exit code. Throws Usage where settings or folder are not in order; the children are gone then. */
export async function supervise(args: readonly string[], first: First): Promise<number> {
  try {
    const { config, flags } = readConfig(args, ['up'], UPGRADE);
    const folder = openDataFolder(config.data);
    const { up: path } = folder.locks;
    const free = flags.has('upgrade') ? take(path) : await hold(path, 0, clock);
    const { running, lock } = free ? { lock: free } : await takeOverFrom(folder.doors.up, path, NO_DOOR);
    const locked: Locked = { lock };
    try {
      return await stay(live(args, first, { config, folder, locked, running }));
    } finally {
      locked.lock?.release();
      running?.close();
    }
  } finally {
    for (const child of [first.control, first.edge]) child.kill('SIGKILL');
  }
}

/** The lock of `up` changes hands, so it is where both ends of a takeover find it. */
interface Locked {
  lock: Lock | undefined;
}

interface Place {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly locked: Locked;
  /** What this one takes over from. */
  readonly running: Succession | undefined;
}

const NO_DOOR =
  'The EdgeFour that runs on this data folder has no door for the next one: it is just starting or ending, or of a version without. Try again, or end it and start this one.';

async function live(args: readonly string[], first: First, place: Place): Promise<number> {
  const { config, folder, locked, running } = place;
  const log = logFor(config, 'up');
  const end = Promise.withResolvers<number>();
  let control: ControlFacts | undefined;
  let edge: EdgeFacts | undefined;
  let told = false;
  let door: Door | undefined;
  let readyFile: PatientFile | undefined;
  let isSucceeded = false;
  let isEnding = false;
  const controlIsReady = Promise.withResolvers<void>();
  function refused(message: string): void {
    process.stderr.write(`edgefour: ${message}\n`);
    end.resolve(2);
  }
  /** Asked when a child has died. Without the one before it this one goes on, as if it had been the first. */
  function isAlone(): boolean {
    return (locked.lock ??= take(folder.locks.up)) !== undefined;
  }
  const common = { clock, log, refused, ...(running && { goesBack: () => !isAlone() }) };
  if (!running) removeReadyFile(config);
  const again = { control: restarts('control', log), edge: restarts('edge', log) };
  const children: Children = {
    control: keep<ControlFacts>({
      ...common,
      role: 'control',
      first: first.control,
      spawn: (last) => again.control(samePorts(args, last)),
      ready(facts) {
        controlIsReady.resolve();
        tellWhenBoth((control = facts), edge);
      },
    }),
    edge: keep<EdgeFacts>({
      ...common,
      role: 'edge',
      first: first.edge,
      // order: its first connection is what can't be given back, so all else must have worked.
      ...(running && { after: controlIsReady.promise }),
      spawn: () => again.edge(args),
      ready: (facts) => tellWhenBoth(control, (edge = facts)),
    }),
  };

  function tellWhenBoth(control: ControlFacts | undefined, edge: EdgeFacts | undefined): void {
    if (told || !control || !edge) return;
    told = true;
    takeOver(control, edge).catch((error: Error) => refused(error.message));
  }

  async function takeOver(control: ControlFacts, edge: EdgeFacts): Promise<void> {
    if (running) {
      await Promise.all([children.control.commit(), children.edge.commit()]);
      // order: the old one may end as soon as it has heard `serving`.
      await tellSystemd(log);
      locked.lock ??= await succeed(running, folder.locks.up);
    }
    door = await openDoorAt(folder.doors.up, giver, log);
    welcome(control, edge);
    tellForeground();
  }

  const giver: Giver = {
    async answer({ ask, version }) {
      if (ask === 'take') {
        if (isEnding) throw new HandoffRefused('the running EdgeFour is ending');
        log.info('another EdgeFour takes over', { version });
        for (const child of Object.values(children)) child.hold();
        return { parts: [] };
      }
      await door?.close();
      locked.lock?.release();
      return { parts: [] };
    },
    lost() {
      log.warn('the other EdgeFour did not come to serve; this one goes on');
      for (const child of Object.values(children)) child.resume();
    },
    gone() {
      isSucceeded = true;
      end.resolve(0);
    },
  };

  function welcome(control: ControlFacts, edge: EdgeFacts): void {
    try {
      if (config.readyFile !== undefined) readyFile = writeReadyFile(config.readyFile, control);
    } catch (error) {
      return refused(`Can't write ${config.readyFile} (${(error as Error).message}). Name another with --ready-file.`);
    }
    // Monotonic time begins with the process.
    const startedInMs = clock.monotonic();
    process.stdout
      .on('error', () => {})
      .write(banner({ version: VERSION, config, folder, control, edge, startedInMs }));
  }

  const forgetSignals = onSignals(
    clock,
    () => end.resolve(0),
    () => endAtOnce(children),
  );
  const code = await end.promise;
  isEnding = true;
  if (!isSucceeded) await door?.close();
  await endInOrder(children, code === 0 || running ? config.drain * 1_000 : 0);
  forgetSignals();
  readyFile?.cancel();
  // Else it is the next one's.
  if (!isSucceeded && locked.lock) removeReadyFile(config);
  return code;
}

function removeReadyFile({ readyFile }: Config): void {
  if (readyFile !== undefined) removeIfPossible(readyFile);
}

interface Children {
  readonly control: Kept;
  readonly edge: Kept;
}

/** order: the edge first, so that control can tell how far the drain is; nothing new reaches either meanwhile. */
async function endInOrder({ control, edge }: Children, drainMs: number): Promise<void> {
  const patience = clock.after(TELL_AFTER_MS, () => {
    process.stderr.write(
      `edgefour: connections may go on for up to ${drainMs / 1_000} s; Ctrl-C again ends at once.\n`,
    );
  });
  await within(edge, drainMs + GRACE_MS);
  patience.cancel();
  await within(control, GRACE_MS);
}

function endAtOnce({ control, edge }: Children): never {
  edge.kill();
  control.kill();
  process.exit(1);
}

async function within(kept: Kept, ms: number): Promise<void> {
  const deadline = clock.after(ms, () => kept.kill());
  await kept.stop();
  deadline.cancel();
}

/** A control that comes back listens where it did, also where the system had chosen the port. */
function samePorts(args: readonly string[], last: ControlFacts | undefined): string[] {
  if (!last) return [...args];
  const kept = args.filter((arg, i) => !isPortFlag(arg) && !(isPortFlag(args[i - 1]) && !args[i - 1]?.includes('=')));
  return [...kept, '--listen', last.listen, '--dns', last.dns || 'off'];
}

function isPortFlag(arg: string | undefined): boolean {
  return arg !== undefined && /^--(listen|dns)(=|$)/.test(arg);
}
