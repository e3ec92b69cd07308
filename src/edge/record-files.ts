/**
 * Connection records as JSON lines, one file per hour (UTC) and part, so that an operator has them without anything
 * else. Bounded in memory, where a slow disk makes it lose records, and on disk, where the oldest files go. It never
 * slows an engine. The reporter feeds it.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import type { ConnectionRecord } from '../link/facts.ts';

export interface RecordFiles {
  /** Never waits: a record that finds the queue full is lost, and counted. */
  write(record: ConnectionRecord): void;
  /** What an operator should know, one line each. */
  readonly alarms: readonly string[];
  /** Resolves when all that was taken is written, or can't be. May be called twice. */
  close(): Promise<void>;
}

/** limit: about 30 MB of records at most wait for the disk. */
const QUEUE = 65_536;
const FLUSH_MS = 1_000;
/** limit: a whole file is what the cap removes at a time, so a file is a small part of it. */
export const PARTS = 16;
/** With a k: the kernel engine's, which writes its own. */
const NAME = /^\d{4}-\d\d-\d\dT\d\d\.k?\d{3}\.jsonl$/;

/** `capBytes` is for all files together; one part more may exist for a moment. */
export function createRecordFiles(folder: string, clock: Clock, capBytes: number): RecordFiles {
  let queue: ConnectionRecord[] = [];
  let current: { readonly hour: string; readonly part: number; readonly file: FileHandle; bytes: number } | undefined;
  let failing: string | undefined;
  let lost = 0;
  let flushing: Promise<void> | undefined;
  const timer = clock.every(FLUSH_MS, () => void flush());

  function flush(): Promise<void> {
    if (queue.length === 0) return flushing ?? Promise.resolve();
    return (flushing ??= write().finally(() => {
      flushing = undefined;
    }));
  }
  async function write(): Promise<void> {
    const records = queue;
    queue = [];
    try {
      const part = await partFor(new Date(clock.now()).toISOString().slice(0, 13));
      const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      await part.file.writeFile(bytes);
      part.bytes += bytes.length;
      failing = undefined;
    } catch (error) {
      lost += records.length;
      failing = `connection records cannot be written: ${(error as Error).message}`;
      await current?.file.close().catch(() => {});
      current = undefined;
    }
  }
  async function partFor(hour: string) {
    if (current?.hour === hour && current.bytes < capBytes / PARTS) return current;
    await current?.file.close();
    const part = current?.hour === hour ? current.part + 1 : 1;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    makeRoom(folder, capBytes);
    const path = join(folder, `${hour}.${`${part}`.padStart(3, '0')}.jsonl`);
    const file = await open(path, 'a', 0o600);
    current = { hour, part, file, bytes: (await file.stat()).size };
    return current;
  }
  return {
    write(record) {
      if (queue.length < QUEUE) queue.push(record);
      else lost += 1;
    },
    get alarms() {
      const alarms = failing === undefined ? [] : [failing];
      return lost === 0 ? alarms : [...alarms, `${lost} connection records could not be written to files`];
    },
    async close() {
      timer.cancel();
      await flush();
      await flush();
      await current?.file.close().catch(() => {});
      current = undefined;
    },
  };
}

/** Removes the oldest files until all together are under the cap. Once an hour or part, so it may wait for the disk. */
export function makeRoom(folder: string, capBytes: number): void {
  const names = readdirSync(folder).filter((name) => NAME.test(name));
  const files = names.toSorted().map((name) => ({ path: join(folder, name), size: sizeOf(join(folder, name)) }));
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files) {
    if (total <= capBytes) return;
    rmSync(path, { force: true });
    total -= size;
  }
}

/** 0 where it is gone: two write here, and each makes room. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
