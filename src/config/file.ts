/** Writes a file so that after a crash it is either the old one or the new one. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Durable once it returns. Throws what the file system throws. */
export function writeFileAtomic(path: string, content: string, mode = 0o600): void {
  const temporary = `${path}.new`;
  try {
    rmSync(temporary, { force: true });
    writeDurably(temporary, content, mode);
    renameSync(temporary, path);
  } catch (error) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // The error of the write is the one to tell.
    }
    throw error;
  }
  syncFolder(dirname(path));
}

function writeDurably(path: string, content: string, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
