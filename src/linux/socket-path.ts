/**
 * Paths of Unix sockets, made short enough for the system: a long one goes through a descriptor of its folder, and a socket
 * whose folder takes no file (full, read-only) stands in this user's folder for temporary files. Both ends of a socket
 * ask here, so they find each other.
 */
import { lstatSync, mkdirSync, openSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';

/** limit: sun_path holds 104 bytes on macOS, 108 on Linux, with the final NUL. */
const MOST_BYTES = process.platform === 'linux' ? 107 : 103;

/** Why the path can't be used here; undefined where it can. */
export function whyTooLong(path: string): string | undefined {
  const bytes = Buffer.byteLength(path);
  if (bytes <= MOST_BYTES || process.platform === 'linux') return undefined;
  return `a socket’s path may have ${MOST_BYTES} bytes, ${path} has ${bytes}`;
}

const folders = new Map<string, number>();

/** The path itself, or one that leads there. Throws where the folder can't be opened. */
export function shortPath(path: string): string {
  if (Buffer.byteLength(path) <= MOST_BYTES || process.platform !== 'linux') return path;
  const folder = dirname(path);
  // The descriptor stays open as long as the process: the path leads through it.
  const fd = folders.get(folder) ?? openSync(folder, 'r');
  folders.set(folder, fd);
  return `/proc/self/fd/${fd}/${basename(path)}`;
}

/** Where the socket is while its own folder takes no file. undefined: this user has no folder of its own for it. */
export function sparePath(path: string, isMade = false): string | undefined {
  const user = process.getuid?.();
  if (user === undefined) return undefined;
  const folder = join(tmpdir(), `edgefour-${user}`);
  try {
    const { dev, ino } = statSync(dirname(path));
    if (isMade) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = lstatSync(folder);
    // Another user may have made it first, to listen in.
    if (uid !== user || (mode & 0o170_077) !== 0o040_000) return undefined;
    return join(folder, `${dev}-${ino}-${basename(path)}`);
  } catch {
    return undefined;
  }
}

/** Where to connect. */
export function reachablePath(path: string): string {
  const spare = sparePath(path);
  return shortPath(spare !== undefined && statSync(spare, { throwIfNoEntry: false }) ? spare : path);
}

/** Nothing listens there any more. The folder goes with its last socket. */
export function removeSpare(path: string): void {
  const spare = sparePath(path);
  if (spare === undefined) return;
  rmSync(spare, { force: true });
  try {
    rmdirSync(dirname(spare));
  } catch {
    // Another data folder has its socket there.
  }
}
