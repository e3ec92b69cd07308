/**
 * The data folder: where each thing lives in it, and the check that it is ours before anything is written. A folder of
 * another program, unreadable, or of a newer format is refused and left exactly as it was.
 */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { whyTooLong } from '../linux/socket-path.ts';
import { writeFileAtomic } from './file.ts';
import { Usage } from './usage.ts';

export interface DataFolder {
  /** Absolute, as are all the others. */
  readonly path: string;
  readonly world: string;
  /** Reports of edges, for control's restarts. */
  readonly acks: string;
  /** Counters of edges, for the same. */
  readonly counters: string;
  /** The link's Unix socket, 0600. */
  readonly socket: string;
  /** Root key pair and zone id, 0600. */
  readonly credentials: string;
  /** Where the running control listens, for the command line; gone when none runs. */
  readonly running: string;
  /** The edge's own: its last good world. */
  readonly edge: string;
  readonly locks: { readonly up: string; readonly control: string; readonly edge: string };
  /** Sockets where the next process of a role takes over from the running one, 0600. */
  readonly doors: { readonly up: string; readonly control: string; readonly edge: string };
}

const FORMAT = 1;
const MARKER = 'edgefour.json';
/** Files that every used folder of EdgeFour has beside the marker. */
const SIGNS: ReadonlySet<string> = new Set(['world.sqlite', 'credentials.json', 'edge']);

/** The names only; touches nothing. */
export function dataFolder(path: string): DataFolder {
  const at = resolve(path);
  return {
    path: at,
    world: join(at, 'world.sqlite'),
    acks: join(at, 'acks.json'),
    counters: join(at, 'counters.json'),
    socket: join(at, 'link.sock'),
    credentials: join(at, 'credentials.json'),
    running: join(at, 'running.json'),
    edge: join(at, 'edge'),
    locks: { up: join(at, 'up.lock'), control: join(at, 'control.lock'), edge: join(at, 'edge.lock') },
    doors: { up: join(at, 'up.sock'), control: join(at, 'ctl.sock'), edge: join(at, 'edge.sock') },
  };
}

/** Checks the folder, making it where there is none. May be called twice. Throws Usage. */
export function openDataFolder(path: string): DataFolder {
  const folder = dataFolder(path);
  const tooLong = whyTooLong(folder.socket);
  if (tooLong !== undefined) throw new Usage(`${tooLong}. Choose a shorter data folder with --data FOLDER.`);
  const known = checkDataFolder(folder);
  try {
    makeFolder(folder.path);
    chmodSync(folder.path, 0o700);
    if (!known || formatOf(join(folder.path, MARKER)) === undefined)
      writeFileAtomic(join(folder.path, MARKER), `${JSON.stringify({ product: 'edgefour', format: FORMAT })}\n`);
  } catch (error) {
    // A disk that takes nothing now: the world that is there is served.
    if (known) return folder;
    throw new Usage(`Can't make the data folder ${folder.path} (${codeOf(error)}). ${OTHER}`);
  }
  return folder;
}

/** not: mkdir's own `recursive`, which never returns where a folder that is there denies having room for another (/proc). */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

const OTHER = 'Choose another with --data FOLDER.';

/** Whether the folder already is ours; false where it is new or empty. Changes nothing. Throws Usage. */
export function checkDataFolder(folder: DataFolder): boolean {
  const names = namesIn(folder.path);
  if (names.length === 0) return false;
  // A marker that was being written when the power went is still a sign of ours.
  if (!names.includes(MARKER)) {
    if (names.every((name) => name.startsWith(MARKER))) return false;
    if (isOurs(names)) return true;
    throw new Usage(
      `${folder.path} holds files that are not EdgeFour's. Choose an empty or new folder with --data FOLDER.`,
    );
  }
  const format = formatOf(join(folder.path, MARKER));
  if (format === undefined && !isOurs(names))
    throw new Usage(`${join(folder.path, MARKER)} is not readable as EdgeFour's. ${OTHER}`);
  if (format !== undefined && format > FORMAT)
    throw new Usage(
      `${folder.path} was written by a newer EdgeFour (format ${format}, this one reads ${FORMAT}). Upgrade, or choose another with --data FOLDER.`,
    );
  return true;
}

/** A marker that is damaged or gone is made anew where all else says whose folder it is. */
function isOurs(names: readonly string[]): boolean {
  return names.filter((name) => SIGNS.has(name)).length >= 2;
}

function namesIn(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) throw new Usage(`${path} is a file, not a folder. ${OTHER}`);
    accessSync(path, constants.R_OK | constants.X_OK);
    const names = readdirSync(path);
    // A folder with something to serve is of use on a disk that takes nothing.
    if (!names.includes(MARKER) || !isReadOnly(path)) accessSync(path, constants.W_OK);
    return names;
  } catch (error) {
    if (error instanceof Usage) throw error;
    if (codeOf(error) === 'ENOENT') return [];
    throw new Usage(
      `Can't use the data folder ${path} (${codeOf(error)}). Run as its owner, or choose another with --data FOLDER.`,
    );
  }
}

function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return codeOf(error) === 'EROFS' || statSync(path).uid === process.getuid?.();
  }
}

/** undefined: it is no marker. One that a later version may have written in another form is of a newer format. */
function formatOf(marker: string): number | undefined {
  try {
    const { product, format } = JSON.parse(readFileSync(marker, 'utf8')) as Record<string, unknown>;
    return product === 'edgefour' && format !== undefined ? Number(format) || Infinity : undefined;
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
