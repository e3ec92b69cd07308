/**
 * A small JSON file that follows a value in memory: read once, then written a moment after each change, whole and by
 * rename. For what may be lost with the power but should outlive a restart; no fsync. A checksum behind the JSON shows a
 * flipped bit; what the content must look like is the caller's to check.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Clock, Timer } from './clock.ts';

interface KeptFile {
  /** As it was found: undefined where there was none or it was not whole. */
  readonly found: unknown;
  readonly isDamaged: boolean;
  /** Soon writes what `value` gives then, if that differs from what is there. */
  save(value: () => unknown): void;
  /** Writes what is due. May be called twice. */
  close(): Promise<void>;
}

/** limit: at most this often, so that a busy world does not write all the time. */
const SAVE_MS = 500;
/** A disk that is full may have room again. */
const AGAIN_MS = 5_000;

/** `failed` is called with the reason when the file can't be written, once until it is; it is tried again. */
export async function openKeptFile(path: string, clock: Clock, failed: (reason: string) => void): Promise<KeptFile> {
  let latest: (() => unknown) | undefined;
  let timer: Timer | undefined;
  let writing = Promise.resolve();
  const text = await readFile(path, 'utf8').catch(() => undefined);
  const found = text === undefined ? undefined : parse(text);
  let written = text;
  let hasFailed = false;
  let isClosing = false;

  async function write(): Promise<void> {
    const value = latest;
    latest = undefined;
    const body = value && sealed(JSON.stringify(value()));
    if (body === undefined || body === written) return;
    try {
      await writeFile(`${path}.new`, body, { mode: 0o600 });
      await rename(`${path}.new`, path);
      written = body;
      hasFailed = false;
    } catch (error) {
      // A part of it would keep the room that the whole needs.
      await rm(`${path}.new`, { force: true }).catch(() => {});
      if (!hasFailed) failed((error as Error).message);
      hasFailed = true;
      latest ??= value;
      if (!isClosing) timer ??= clock.after(AGAIN_MS, () => void flush());
    }
  }
  function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }
  return {
    found,
    isDamaged: text !== undefined && found === undefined,
    save(value) {
      latest = value;
      timer ??= clock.after(SAVE_MS, () => void flush());
    },
    close() {
      isClosing = true;
      return flush();
    },
  };
}

function sealed(json: string): string {
  return `${json}\n${crc32(json).toString(16)}\n`;
}

/** A file of a version without checksums is its JSON alone. */
function parse(text: string): unknown {
  const [json = '', sum] = text.split('\n');
  if (sum !== undefined && sealed(json) !== text) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
