/** The last good addresses of origin names on disk, so that an edge that starts without DNS still knows its origins. */
import { type Check, listOf, tableOf, word } from '../../lib/check.ts';
import type { Clock } from '../../lib/clock.ts';
import { openKeptFile } from '../../lib/kept-file.ts';
import type { Log } from '../../observe/log.ts';

export interface NameFile {
  readonly remembered: ReadonlyMap<string, readonly string[]>;
  save(names: () => Record<string, readonly string[]>): void;
  close(): Promise<void>;
}

const NAMES: Check = tableOf(listOf(word));

export async function openNameFile(path: string, clock: Clock, log: Log): Promise<NameFile> {
  const file = await openKeptFile(path, clock, (reason) => {
    log.warn('addresses of origin names cannot be kept for a restart', { path, reason });
  });
  if (file.isDamaged) log.warn('the last addresses of origin names cannot be read; they are asked for anew', { path });
  const found = NAMES(file.found) ? (file.found as Record<string, readonly string[]>) : {};
  return { remembered: new Map(Object.entries(found)), save: (names) => file.save(names), close: () => file.close() };
}
