/**
 * Connection records as JSON lines, one file per hour (UTC), process and part, so that an operator has them without
 * anything else. Bounded in memory, where a slow disk makes it lose records, and on disk, where the oldest files go. A file
 * that something else removes is made anew, and what was in it counted. It never slows an engine. The edge's records feed it.
 */
import { readdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../lib/clock.ts';
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
  return new HourlyFiles(folder, clock, capBytes, onLost);
}

class HourlyFiles implements RecordFiles {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #capBytes: number;
  readonly #onLost: (records: number) => void;
  readonly #timer: Timer;
  #queue: ConnectionRecord[] = [];
  #current: Part | undefined;
  #failing: string | undefined;
  #unwritten = 0;
  #removed = 0;
  #flushing: Promise<void> | undefined;

  constructor(folder: string, clock: Clock, capBytes: number, onLost: (records: number) => void) {
    this.#folder = folder;
    this.#clock = clock;
    this.#capBytes = capBytes;
    this.#onLost = onLost;
    this.#timer = clock.every(FLUSH_MS, () => void this.#flush());
  }

  write(record: ConnectionRecord): void {
    if (this.#queue.length < QUEUE) this.#queue.push(record);
    else {
      this.#unwritten += 1;
      this.#onLost(1);
    }
  }

  get alarms(): string[] {
    const gone = `something removed their file from ${this.#folder}`;
    return [
      ...(this.#failing === undefined ? [] : [this.#failing]),
      ...(this.#unwritten === 0 ? [] : [`${this.#unwritten} connection records could not be written to files`]),
      ...(this.#removed === 0 ? [] : [`${this.#removed} connection records are gone: ${gone}`]),
    ];
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#flush();
    await this.#leave();
  }

  #flush(): Promise<void> {
    if (this.#queue.length === 0) return this.#flushing ?? Promise.resolve();
    return (this.#flushing ??= this.#writeAll().finally(() => {
      this.#flushing = undefined;
    }));
  }

  async #writeAll(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeQueue();
  }

  async #writeQueue(): Promise<void> {
    const records = this.#queue;
    this.#queue = [];
    try {
      const part = await this.#partFor(new Date(this.#clock.now()).toISOString().slice(0, 13));
      const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      await this.#append(part, bytes);
      part.bytes += bytes.length;
      part.records += records.length;
      this.#failing = undefined;
      await this.#look(part);
    } catch (error) {
      this.#unwritten += records.length;
      this.#onLost(records.length);
      this.#failing = `connection records cannot be written: ${(error as Error).message}`;
    }
  }

  /** All or nothing: no line is half there, none is counted that is there. */
  async #append({ file, bytes: before }: Part, bytes: Uint8Array): Promise<void> {
    try {
      await file.writeFile(bytes);
    } catch (error) {
      await file.truncate(before).catch(() => this.#leave());
      throw error;
    }
  }

  async #partFor(hour: string): Promise<Part> {
    if (this.#current) await this.#look(this.#current);
    if (this.#current?.hour === hour && this.#current.bytes < this.#capBytes / PARTS) return this.#current;
    await this.#leave();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    makeRoom(this.#folder, this.#capBytes);
    return (this.#current = { ...(await newFile(this.#folder, hour)), hour, bytes: 0, records: 0 });
  }

  /** Whether it is still where it was made: if not, what was written to it is in no file. */
  async #look(part: Part): Promise<void> {
    const [named, own] = await Promise.all([part.path, part.file].map((file) => statOf(file)));
    if (named && own && isSame(named, own)) return;
    this.#removed += part.records;
    this.#onLost(part.records);
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const part = this.#current;
    this.#current = undefined;
    await part?.file.close().catch(() => {});
  }
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
