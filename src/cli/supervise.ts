/**
 * Control and edge as two children of this process, from their start to the last one's end: ready file and banner when
 * both are ready, restarts while they live, the order of the end. Called by `up` under its lock.
 */
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import process from 'node:process';
import { type DataFolder, openDataFolder } from '../config/data-folder.ts';
import { type Config, readConfig } from '../config/read.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { VERSION } from '../lib/version.ts';
import { banner } from './banner.ts';
import { startChild } from './child.ts';
import type { ControlFacts, EdgeFacts } from './family.ts';
import { keep, type Kept } from './keep.ts';
import { hold } from './lock.ts';
import { logFor } from './log.ts';
import { writeReadyFile } from './ready-file.ts';
import { stay } from './stay.ts';

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
    const { config } = readConfig(args, ['up']);
    const folder = openDataFolder(config.data);
    const lock = await hold(folder.locks.up, 0, clock);
    try {
      return await stay(live(args, first, config, folder));
    } finally {
      lock.release();
    }
  } finally {
    for (const child of [first.control, first.edge]) child.kill('SIGKILL');
  }
}

async function live(args: readonly string[], first: First, config: Config, folder: DataFolder): Promise<number> {
  const log = logFor(config, 'up');
  const end = Promise.withResolvers<number>();
  let control: ControlFacts | undefined;
  let edge: EdgeFacts | undefined;
  let told = false;
  function refused(message: string): void {
    process.stderr.write(`edgefour: ${message}\n`);
    end.resolve(2);
  }
  const common = { clock, log, refused };
  removeReadyFile(config);
  const children: Children = {
    control: keep<ControlFacts>({
      ...common,
      role: 'control',
      first: first.control,
      spawn: (last) => startChild('control', samePorts(args, last)),
      ready: (facts) => tellWhenBoth((control = facts), edge),
    }),
    edge: keep<EdgeFacts>({
      ...common,
      role: 'edge',
      first: first.edge,
      spawn: () => startChild('edge', args),
      ready: (facts) => tellWhenBoth(control, (edge = facts)),
    }),
  };

  function tellWhenBoth(control: ControlFacts | undefined, edge: EdgeFacts | undefined): void {
    if (told || !control || !edge) return;
    told = true;
    try {
      if (config.readyFile !== undefined) writeReadyFile(config.readyFile, control);
    } catch (error) {
      return refused(`Can't write ${config.readyFile} (${(error as Error).message}). Name another with --ready-file.`);
    }
    // Monotonic time begins with the process.
    const startedInMs = clock.monotonic();
    process.stdout
      .on('error', () => {})
      .write(banner({ version: VERSION, config, folder, control, edge, startedInMs }));
  }

  const forgetSignals = onSignals(children, () => end.resolve(0));
  const code = await end.promise;
  await endInOrder(children, code === 0 ? config.drain * 1_000 : 0);
  forgetSignals();
  removeReadyFile(config);
  return code;
}

function removeReadyFile({ readyFile }: Config): void {
  if (readyFile !== undefined) rmSync(readyFile, { force: true });
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

async function within(kept: Kept, ms: number): Promise<void> {
  const deadline = clock.after(ms, () => kept.kill());
  await kept.stop();
  deadline.cancel();
}

/** The first signal asks, the second ends everything at once. */
function onSignals(children: Children, ask: () => void): () => void {
  let asked = 0;
  function onSignal(): void {
    asked += 1;
    if (asked === 1) return ask();
    children.edge.kill();
    children.control.kill();
    process.exit(1);
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal).on('SIGHUP', onSignal);
  return () => {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal).off('SIGHUP', onSignal);
  };
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
