/**
 * A small file that others look for, on a disk that may be full or read-only just now: written at once or as soon as it
 * can be. Meanwhile none is there, because an old one would lead astray. Called for running.json and the ready file.
 */
import { rmSync } from 'node:fs';
import type { Clock } from '../lib/clock.ts';
import { writeFileAtomic } from './file.ts';

export interface PatientFile {
  /** Tries no more. May be called twice. */
  cancel(): void;
}

const AGAIN_MS = 1_000;
/** Errors that pass without a change of settings. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

export const isPassing = (error: unknown): boolean => PASSING.has((error as NodeJS.ErrnoException).code ?? '');

/** `late` is called once with the reason where it takes longer. Throws where waiting would not help. */
export function writePatiently(
  path: string,
  content: string,
  clock: Clock,
  late: (reason: string) => void,
): PatientFile {
  try {
    writeFileAtomic(path, content);
    return { cancel() {} };
  } catch (error) {
    if (!isPassing(error)) throw error;
    late((error as NodeJS.ErrnoException).code ?? '');
  }
  removeIfPossible(path);
  const again = clock.every(AGAIN_MS, () => {
    try {
      writeFileAtomic(path, content);
      again.cancel();
    } catch {
      // It has been said.
    }
  });
  return again;
}

export function removeIfPossible(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A folder that is read-only keeps it.
  }
}
