/** States of origins on disk, so that a restart sends no traffic to an origin that is known to be dead. Opened by the agent. */
import type { Clock } from '../../lib/clock.ts';
import { openKeptFile } from '../../lib/kept-file.ts';
import type { Log } from '../../observe/log.ts';
import { keep, readKept } from './kept-origins.ts';
import type { Origin } from './origin.ts';

export interface OriginFile {
  /** Of the process before this one. */
  readonly found: readonly Origin[];
  save(origins: () => Iterable<Origin>): void;
  close(): Promise<void>;
}

export async function openOriginFile(path: string, clock: Clock, log: Log): Promise<OriginFile> {
  const moment = () => ({ monotonic: clock.monotonic(), wall: clock.now() });
  const file = await openKeptFile(path, clock, (reason) => {
    log.warn('states of origins cannot be kept for a restart', { path, reason });
  });
  if (file.isDamaged) log.warn('the last states of origins cannot be read; all are taken for up', { path });
  return {
    found: readKept(file.found, moment()),
    save: (origins) => file.save(() => keep(origins(), moment())),
    close: () => file.close(),
  };
}
