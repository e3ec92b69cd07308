/**
 * Connection records as JSON lines, one file per hour (UTC), process and part, so that an operator has them without
 * anything else. Bounded in memory, where a slow disk makes it lose records, and on disk, where the oldest files go. A file
 * that something else removes is made anew, and what was in it counted. It never slows an engine. The agent feeds it.
 */
import { readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';

interface RecordFiles {
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

interface Part {
  readonly hour: string;
  readonly path: string;
  readonly file: FileHandle;
  bytes: number;
  records: number;
}

/** `capBytes` is for all files together; one part more may exist for a moment. `onLost` hears of each record once. */
export function createRecordFiles(
  folder: string,
  clock: Clock,
  capBytes: number,
  onLost: (records: number) => void = () => {},
): RecordFiles {
  let queue: ConnectionRecord[] = [];
  let current: Part | undefined;
  let failing: string | undefined;
  let unwritten = 0;
  let removed = 0;
  let flushing: Promise<void> | undefined;
  const timer = clock.every(FLUSH_MS, () => void flush());

  function flush(): Promise<void> {
    if (queue.length === 0) return flushing ?? Promise.resolve();
    return (flushing ??= writeAll().finally(() => {
      flushing = undefined;
    }));
  }
  async function writeAll(): Promise<void> {
    while (queue.length > 0) await write();
  }
  async function write(): Promise<void> {
    const records = queue;
    queue = [];
    try {
      const part = await partFor(new Date(clock.now()).toISOString().slice(0, 13));
      const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      await append(part, bytes);
      part.bytes += bytes.length;
      part.records += records.length;
      failing = undefined;
      await look(part);
    } catch (error) {
      unwritten += records.length;
      onLost(records.length);
      failing = `connection records cannot be written: ${(error as Error).message}`;
    }
  }
  /** All or nothing: no line is half there, none is counted that is there. */
  async function append({ file, bytes: before }: Part, bytes: Uint8Array): Promise<void> {
    try {
      await file.writeFile(bytes);
    } catch (error) {
      await file.truncate(before).catch(leave);
      throw error;
    }
  }
  async function partFor(hour: string): Promise<Part> {
    if (current) await look(current);
    if (current?.hour === hour && current.bytes < capBytes / PARTS) return current;
    await leave();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    makeRoom(folder, capBytes);
    return (current = { ...(await newFile(folder, hour)), hour, bytes: 0, records: 0 });
  }
  /** Whether it is still where it was made: if not, what was written to it is in no file. */
  async function look(part: Part): Promise<void> {
    const [named, own] = await Promise.all([part.path, part.file].map((file) => statOf(file)));
    if (named && own && isSame(named, own)) return;
    removed += part.records;
    onLost(part.records);
    await leave();
  }
  async function leave(): Promise<void> {
    const part = current;
    current = undefined;
    await part?.file.close().catch(() => {});
  }
  return {
    write(record) {
      if (queue.length < QUEUE) queue.push(record);
      else {
        unwritten += 1;
        onLost(1);
      }
    },
    get alarms() {
      return [
        ...(failing === undefined ? [] : [failing]),
        ...(unwritten === 0 ? [] : [`${unwritten} connection records could not be written to files`]),
        ...(removed === 0
          ? []
          : [`${removed} connection records are gone: something removed their file from ${folder}`]),
      ];
    },
    async close() {
      timer.cancel();
      await flush();
      await leave();
    },
  };
}

/** order: never one that is there already. It is of a process that may write to it still. */
async function newFile(folder: string, hour: string): Promise<Pick<Part, 'path' | 'file'>> {
  for (let part = 1; ; part++) {
    const path = join(folder, `${hour}.${`${part}`.padStart(3, '0')}.jsonl`);
    const file = await open(path, 'ax', 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    if (file) return { path, file };
  }
}

/** undefined: it is gone. */
function statOf(file: string | FileHandle): Promise<Stats | undefined> {
  return (typeof file === 'string' ? stat(file) : file.stat()).catch(() => undefined);
}

/** What a file's name leads to is what was opened. */
export function isSame(named: Pick<Stats, 'ino' | 'dev'>, own: Pick<Stats, 'ino' | 'dev'>): boolean {
  return named.ino === own.ino && named.dev === own.dev;
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
