/**
 * Where a connection's record goes at its end: into files on this machine, and into the queue for control. The agent makes
 * one and gives it to the engines.
 */
import { createRecordFiles } from '../../engines/hosting/record-files.ts';
import type { EngineName } from '../../engines/registry.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ConnectionRecord } from '../../domain/fact/fact.ts';
import { RecordQueue } from './record-queue.ts';

export interface Records {
  readonly queue: RecordQueue;
  write(engine: EngineName, record: ConnectionRecord): void;
  readonly alarms: readonly string[];
  close(): Promise<void>;
}

/** limit: weeks of a busy edge (300 bytes a record), and no disk is full because of it. */
export const RECORD_FILES_BYTES = 1 << 30;

export function openRecords(folder: string, clock: Clock): Records {
  const queue = new RecordQueue();
  const files = createRecordFiles(folder, clock, RECORD_FILES_BYTES, (lost) => queue.lose(lost));
  return {
    queue,
    write(engine, record) {
      // The kernel engine has written its own: it must know that they are on the disk.
      if (engine !== 'kernel') files.write(record);
      queue.add(record);
    },
    get alarms() {
      return files.alarms;
    },
    close: () => files.close(),
  };
}
