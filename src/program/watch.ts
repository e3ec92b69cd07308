/**
 * Whether the program on disk is still the one that runs here. A checkout that is moved, or changed under a running process
 * (git checkout, npm ci), gives a child that is started again another version than the rest has. Folders are looked at,
 * because a file that is replaced changes its folder; one that is edited in place is not seen. Made by edge.ts and
 * control.ts of the commands; doctor looks once.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';

/** One state of the files. */
export interface Program {
  readonly root: string;
  readonly version: string;
  readonly marks: string;
}

interface ProgramWatch {
  /** The state of the files at the first start; a process that comes back after a death is told it. */
  readonly origin: Program | undefined;
  /** The warning for an operator, one line; none while all is as it was. */
  readonly alarms: readonly string[];
  close(): void;
}

/** limit: twelve seconds until it is told, of which a beat takes two. */
const LOOK_MS = 8_000;

/** `origin`: where this process came back for one that died. Resolves when it knows what is there now. */
export async function watchProgram(
  root: string,
  clock: Clock,
  tell: (alarm: string) => void,
  origin?: Program,
): Promise<ProgramWatch> {
  const first = await seeProgram(root);
  const other = origin && first && isOther(origin, first) ? cameBack(origin, first) : undefined;
  let alarm = other;
  if (other !== undefined) tell(other);
  let looking = false;
  const timer = clock.every(LOOK_MS, () => void again());

  async function again(): Promise<void> {
    if (!first || looking) return;
    looking = true;
    const next = whatIsWrong(first, await seeProgram(root)) ?? other;
    looking = false;
    if (next !== undefined && next !== alarm) tell(next);
    alarm = next;
  }

  return {
    origin: origin ?? first,
    get alarms() {
      return alarm === undefined ? [] : [alarm];
    },
    close: () => timer.cancel(),
  };
}

/** undefined: all is as it was. */
export function whatIsWrong(first: Program, now: Program | undefined): string | undefined {
  const { root, version } = first;
  if (!now)
    return `the program is no longer at ${root}, so a process that dies can't come back: start it from where it is now, with up --upgrade`;
  if (now.version !== version)
    return `version ${now.version} is on disk, ${version} is running: take over with up --upgrade`;
  return isOther(first, now)
    ? `the program on disk has changed since it was started (version ${version}): take over with up --upgrade`
    : undefined;
}

function isOther(first: Program, now: Program): boolean {
  return now.version !== first.version || now.marks !== first.marks;
}

function cameBack(origin: Program, { version }: Program): string {
  const what = version === origin.version ? `version ${version}, changed since` : `version ${version}`;
  return `started again from what is on disk now (${what}); version ${origin.version} runs beside it: take over with up --upgrade`;
}

/** `root`: where package.json and src are. undefined: it is not there, or not whole. */
export function seeProgram(root: string): Promise<Program | undefined> {
  return look(root).catch(() => undefined);
}

async function look(root: string): Promise<Program> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const found = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const folders = found.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  const paths = [root, join(root, 'src'), ...folders, join(root, 'node_modules')];
  const marks = await Promise.all(
    paths.map(async (path) => {
      const { ino, mtimeMs } = await stat(path);
      // Of the root only which it is: a data folder may be in it.
      return path === root ? `${path} ${ino}` : `${path} ${ino} ${mtimeMs}`;
    }),
  );
  return { root, version, marks: createHash('sha256').update(marks.toSorted().join()).digest('hex') };
}
