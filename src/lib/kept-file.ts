/**
 * A small JSON file that follows a value in memory: read once, then written a moment after each change, whole and by
 * rename. For what may be lost with the power but should outlive a restart; no fsync. What the content must look like
 * is the caller's to check.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Clock, Timer } from './clock.ts';

export interface KeptFile {
  /** As it was found: undefined where there was none or it was not JSON. */
  readonly found: unknown;
  /** Soon writes what `value` gives then, if that differs from what is there. */
  save(value: () => unknown): void;
  /** Writes what is due. May be called twice. */
  close(): Promise<void>;
}

/** limit: at most this often, so that a busy world does not write all the time. */
const SAVE_MS = 500;

/** `failed` is called with the reason whenever the file could not be written. */
export async function openKeptFile(path: string, clock: Clock, failed: (reason: string) => void): Promise<KeptFile> {
  let latest: (() => unknown) | undefined;
  let timer: Timer | undefined;
  let writing = Promise.resolve();
  const text = await readFile(path, 'utf8').catch(() => '');
  let written = text;

  async function write(): Promise<void> {
    const body = latest && JSON.stringify(latest());
    latest = undefined;
    if (body === undefined || body === written) return;
    try {
      await writeFile(`${path}.new`, body, { mode: 0o600 });
      await rename(`${path}.new`, path);
      written = body;
    } catch (error) {
      failed((error as Error).message);
    }
  }
  function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }
  return {
    found: parse(text),
    save(value) {
      latest = value;
      timer ??= clock.after(SAVE_MS, () => void flush());
    },
    close: flush,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
