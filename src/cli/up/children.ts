/**
 * Control and edge as the two children of `up`: how each is started, first and again, and in which order both end. Called
 * by supervise.ts.
 */
import type { ChildProcess } from 'node:child_process';
import process from 'node:process';
import { systemClock as clock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { restarts } from './child.ts';
import type { ControlFacts, EdgeFacts } from '../run/ipc.ts';
import { SupervisedChild } from './supervised-child.ts';

/** After the drain time the edge has this long to end by itself. */
const GRACE_MS = 3_000;
const TELL_AFTER_MS = 1_000;

export interface First {
  readonly control: ChildProcess;
  readonly edge: ChildProcess;
}

type Child = Pick<SupervisedChild<unknown>, 'rest' | 'resume' | 'stop' | 'kill'>;

export interface Children {
  readonly control: Child;
  readonly edge: Child;
}

export interface Facts {
  readonly control: ControlFacts;
  readonly edge: EdgeFacts;
}

interface Around {
  readonly args: readonly string[];
  readonly log: Log;
  /** A child says that it can't start. */
  readonly refused: (message: string) => void;
  /** Where this `up` takes over: whether the one before it would go on. */
  readonly goesBack: (() => boolean) | undefined;
}

/** `ready` resolves once both are. */
export function startChildren(first: First, { args, log, refused, goesBack }: Around) {
  const controlIsReady = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<Facts>();
  const facts: Partial<{ -readonly [Role in keyof Facts]: Facts[Role] }> = {};
  const common = { clock, log, refused, ...(goesBack && { goesBack }) };
  const again = { control: restarts('control', log), edge: restarts('edge', log) };

  function note(): void {
    const { control, edge } = facts;
    if (control && edge) ready.resolve({ control, edge });
  }
  const control = new SupervisedChild<ControlFacts>({
    ...common,
    role: 'control',
    first: first.control,
    spawn: (last) => again.control(samePorts(args, last)),
    ready(said) {
      facts.control = said;
      controlIsReady.resolve();
      note();
    },
  });
  const edge = new SupervisedChild<EdgeFacts>({
    ...common,
    role: 'edge',
    first: first.edge,
    // order: its first connection is what can't be given back, so all else must have worked.
    ...(goesBack && { after: controlIsReady.promise }),
    spawn: () => again.edge(args),
    ready(said) {
      facts.edge = said;
      note();
    },
  });
  return { control, edge, ready: ready.promise };
}

/** order: the edge first, so that control can tell how far the drain is; nothing new reaches either meanwhile. */
export async function endInOrder({ control, edge }: Children, drainMs: number): Promise<void> {
  const patience = clock.after(TELL_AFTER_MS, () => {
    if (drainMs === 0) return;
    process.stderr.write(
      `edgefour: connections may go on for up to ${drainMs / 1_000} s; Ctrl-C again ends at once.\n`,
    );
  });
  await endWithin(edge, drainMs + GRACE_MS);
  patience.cancel();
  await endWithin(control, GRACE_MS);
}

export function endAtOnce({ control, edge }: Children): never {
  edge.kill();
  control.kill();
  process.exit(1);
}

async function endWithin(child: Child, ms: number): Promise<void> {
  const deadline = clock.after(ms, () => child.kill());
  await child.stop();
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
