/**
 * Writes connection records as JSON lines into files of the kernel engine's own, beside the edge's others (record-files.ts), on
 * the engine's thread and at once: what `append` has taken outlives a SIGKILL, so the account may call it recorded. A batch is
 * there whole or not at all, also when its process died in the middle. No packet waits for it; while it writes, ends wait in
 * the system's buffer. The recorder calls it.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../../lib/clock.ts';
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import { isSame, makeRoom, PARTS } from '../../hosting/record-files.ts';

interface RecordLog {
  /** Whether the last batch of a process that is gone was written. What there is of one that was not is taken back. */
  isWhole(): boolean;
  /** Gives why none is written; nothing where all are. */
  append(records: readonly ConnectionRecord[]): string | undefined;
  close(): void;
}

export interface RecordLogPlace {
  readonly folder: string;
  /** For all files together; one part more may exist for a moment. */
  readonly capBytes: number;
}

/** What `batch` says: which file, and its size before the batch and after. */
const HOUR = 0;
const PART = 1;
const BEFORE = 2;
const AFTER = 3;
const HOUR_MS = 3_600_000;

interface OpenFile {
  readonly fd: number;
  readonly hour: number;
  readonly part: number;
  readonly path: string;
  bytes: number;
  records: number;
}

/** `batch`: four numbers that outlive the process (counter-file.ts). `gone`: so many went with a file that something else removed. */
export function openRecordLog(
  { folder, capBytes }: RecordLogPlace,
  batch: Float64Array,
  clock: Clock,
  gone: (records: number) => void = () => {},
): RecordLog {
  let current: OpenFile | undefined;

  function pathOf(hour: number, part: number): string {
    const name = new Date(hour * HOUR_MS).toISOString().slice(0, 13);
    return join(folder, `${name}.k${`${part}`.padStart(3, '0')}.jsonl`);
  }

  /** order: never one that is there already. It is of a process that may live still. */
  function fileFor(hour: number): OpenFile {
    if (current && !isThere(current)) {
      gone(current.records);
      close();
    }
    if (current?.hour === hour && current.bytes < capBytes / PARTS) return current;
    close();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    makeRoom(folder, capBytes);
    let part = 1;
    while (statSync(pathOf(hour, part), { throwIfNoEntry: false })) part++;
    const path = pathOf(hour, part);
    return (current = { fd: openSync(path, 'ax', 0o600), hour, part, path, bytes: 0, records: 0 });
  }

  function close(): void {
    if (current) closeSync(current.fd);
    current = undefined;
  }

  /** order: killed between two of these, it must not look as if the batch were there. */
  function note({ hour, part, bytes }: OpenFile, more: number): void {
    batch[AFTER] = Infinity;
    batch[HOUR] = hour;
    batch[PART] = part;
    batch[BEFORE] = bytes;
    batch[AFTER] = bytes + more;
  }

  return {
    isWhole() {
      const [hour = 0, part = 0, before = 0, after = 0] = batch;
      const path = pathOf(hour, part);
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (after < Infinity && size > before && size < after) truncateSync(path, before);
      return size >= after;
    },
    append(records) {
      try {
        const file = fileFor(Math.floor(clock.now() / HOUR_MS));
        const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        note(file, bytes.length);
        try {
          for (let at = 0; at < bytes.length;) at += writeSync(file.fd, bytes, at);
        } catch (error) {
          ftruncateSync(file.fd, file.bytes);
          throw error;
        }
        if (!isThere(file)) throw new Error(`${file.path} was removed while it was written`);
        file.bytes += bytes.length;
        file.records += records.length;
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
    close,
  };
}

function isThere({ fd, path }: OpenFile): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  return named !== undefined && isSame(named, fstatSync(fd));
}
