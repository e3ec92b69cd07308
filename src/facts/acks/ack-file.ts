/**
 * Acks across a restart of control, as one small JSON file: statuses must not flip because no edge has reported
 * yet. Not the world's log, not worth an fsync: what is lost with the power comes back with the next reports. Called by
 * ../facts.ts. A file that can't be read or written costs nothing but that.
 */
import { areFailures } from '../../domain/fact/ack.ts';
import { type Check, count, fields, flag, listOf, tableOf, text, word } from '../../lib/check.ts';
import type { Clock } from '../../lib/clock.ts';
import { openKeptFile } from '../../lib/kept-file.ts';
import type { Log } from '../../observe/log.ts';
import { Acks, type Kept, type KeptEdge } from './acks.ts';

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
      failed: areFailures,
    } satisfies Record<keyof KeptEdge, Check>),
  ),
});

interface KeptAcks {
  readonly acks: Acks;
  /** Writes what is due. May be called twice. */
  close(): Promise<void>;
}

/** Starts from what the file says of this world, and keeps it up to date. */
export async function openAcks(path: string, world: string, tools: { clock: Clock; log: Log }): Promise<KeptAcks> {
  const { clock, log } = tools;
  const file = await openKeptFile(path, clock, (reason) => {
    log.warn('what edges reported cannot be kept for a restart', { path, reason });
  });
  const kept = KEPT(file.found) ? (file.found as Kept & { readonly world: string }) : undefined;
  if (file.isDamaged || (file.found !== undefined && !kept))
    log.warn('what edges reported before the restart cannot be read', { path });
  const acks: Acks = new Acks(clock, kept?.world === world ? kept : undefined, () => {
    file.save(() => ({ world, ...acks.kept() }));
  });
  return {
    acks,
    close() {
      acks.close();
      return file.close();
    },
  };
}
