/**
 * What Acks must remember while control restarts, as one small JSON file: statuses must not flip because nobody has
 * reported yet. Not the world's log, not worth an fsync: what is lost with the power comes back with the next reports.
 * Made by control's composition root. A file that can't be read or written costs nothing but that.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { type Check, count, fields, flag, listOf, tableOf, text, word } from '../lib/check.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Kept, KeptEdge } from './acks.ts';

/** limit: at most this often, so a busy world does not write all the time. */
const SAVE_MS = 500;

const KEPT: Check = fields({
  world: word,
  floors: tableOf(count),
  edges: listOf(
    fields({
      id: word,
      site: word,
      version: text,
      applied: count,
      seenAt: count,
      alive: flag,
      failed: listOf(fields({ id: word, reason: text })),
    } satisfies Record<keyof KeptEdge, Check>),
  ),
});

export interface AckFile {
  /** As of the last save for this world; undefined where there is none. */
  readonly kept: Kept | undefined;
  /** Soon writes what `now` gives then. */
  save(now: () => Kept): void;
  /** Writes what is due. May be called twice. */
  close(): Promise<void>;
}

export async function openAckFile(path: string, world: string, tools: { clock: Clock; log: Log }): Promise<AckFile> {
  const { clock, log } = tools;
  let latest: (() => Kept) | undefined;
  let timer: Timer | undefined;
  let written = '';
  let writing = Promise.resolve();

  async function write(): Promise<void> {
    const body = latest && JSON.stringify({ world, ...latest() });
    latest = undefined;
    if (body === undefined || body === written) return;
    try {
      await writeFile(`${path}.new`, body, { mode: 0o600 });
      await rename(`${path}.new`, path);
      written = body;
    } catch (error) {
      log.warn('what edges reported cannot be kept for a restart', { path, reason: (error as Error).message });
    }
  }
  function flush(): Promise<void> {
    timer?.cancel();
    timer = undefined;
    writing = writing.then(write);
    return writing;
  }
  return {
    kept: await readKept(path, world, log),
    save(now) {
      latest = now;
      timer ??= clock.after(SAVE_MS, () => void flush());
    },
    close: flush,
  };
}

async function readKept(path: string, world: string, log: Log): Promise<Kept | undefined> {
  let body: string;
  try {
    body = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(body);
    if (!KEPT(value)) throw new TypeError('it is not what was written');
    const kept = value as Kept & { readonly world: string };
    return kept.world === world ? kept : undefined;
  } catch (error) {
    log.warn('what edges reported before the restart is lost', { path, reason: (error as Error).message });
    return undefined;
  }
}
