/**
 * Whether the program on disk is still the one that runs here. A checkout that is moved, or changed under a running process
 * (git checkout, npm ci), gives it parts of another version when something is loaded later: a thread, a child. Folders are
 * looked at, because whoever replaces a file changes its folder; a file that is edited in place is not seen. Made by edge.ts.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock.ts';

export interface ProgramWatch {
  /** What an operator should know, one line; none while all is as it was. */
  readonly alarms: readonly string[];
  close(): void;
}

/** limit: twelve seconds until it is told, of which a beat takes two. */
const LOOK_MS = 8_000;

interface Seen {
  readonly version: string;
  readonly marks: ReadonlyMap<string, string>;
}

/** `root`: where package.json and src are. Resolves when it knows what is there now. */
export async function watchProgram(
  root: string,
  version: string,
  clock: Clock,
  tell: (alarm: string) => void,
): Promise<ProgramWatch> {
  const first = await look(root).catch(() => undefined);
  let alarm: string | undefined;
  let looking = false;
  const timer = clock.every(LOOK_MS, () => void again());

  async function again(): Promise<void> {
    if (!first || looking) return;
    looking = true;
    const now = await look(root).catch(() => undefined);
    looking = false;
    const next = whatIsWrong(now);
    if (next !== undefined && next !== alarm) tell(next);
    alarm = next;
  }

  function whatIsWrong(now: Seen | undefined): string | undefined {
    if (!now)
      return `the program is no longer at ${root}, and what it has not loaded yet can't be had: start it from where it is now, with up --upgrade`;
    if (now.version !== version)
      return `version ${now.version} is on disk, ${version} is running: take over with up --upgrade`;
    const isSame =
      now.marks.size === first?.marks.size && now.marks.entries().every(([at, mark]) => first.marks.get(at) === mark);
    return isSame
      ? undefined
      : `the program on disk has changed since it was started (version ${version}): take over with up --upgrade`;
  }

  return {
    get alarms() {
      return alarm === undefined ? [] : [alarm];
    },
    close: () => timer.cancel(),
  };
}

async function look(root: string): Promise<Seen> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  const found = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const folders = found.filter((entry) => entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  const paths = [root, join(root, 'src'), ...folders, join(root, 'node_modules')];
  const marks = await Promise.all(
    paths.map(async (path) => {
      const { ino, mtimeMs } = await stat(path);
      // Of the root only which it is: a data folder may be in it.
      return [path, path === root ? `${ino}` : `${ino} ${mtimeMs}`] as const;
    }),
  );
  return { version, marks: new Map(marks) };
}
