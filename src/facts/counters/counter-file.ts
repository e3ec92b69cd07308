/**
 * The book of counters across a restart of control, as one JSON file: epochs that have ended are told by no
 * process any more. Called by ../facts.ts. A file that can't be read or written costs nothing but that.
 */
import { isCountersOfRule } from '../../domain/fact/fact.ts';
import { type Check, count, fields, listOf, text, word } from '../../lib/check.ts';
import type { Clock } from '../../lib/clock.ts';
import { openKeptFile } from '../../lib/kept-file.ts';
import type { Log } from '../../observe/log.ts';
import { CounterBook, type KeptEpoch } from './counter-book.ts';

const KEPT: Check = fields({
  world: word,
  epochs: listOf(
    fields({
      edge: word,
      epoch: text,
      recordsLost: count,
      counters: listOf(isCountersOfRule),
    } satisfies Record<keyof KeptEpoch, Check>),
  ),
});

interface KeptCounters {
  readonly counters: CounterBook;
  /** Writes all there is. May be called twice. */
  close(): Promise<void>;
}

/** Starts from what the file says of this world, and keeps it up to date. */
export async function openCounters(
  path: string,
  world: string,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<KeptCounters> {
  const file = await openKeptFile(path, clock, (reason) => {
    log.warn('what edges counted cannot be kept for a restart', { path, reason });
  });
  const kept = KEPT(file.found) ? (file.found as { readonly world: string; readonly epochs: KeptEpoch[] }) : undefined;
  const save = (): void => file.save(() => ({ world, epochs: counters.kept() }));
  const counters: CounterBook = new CounterBook(clock, kept?.world === world ? kept.epochs : [], save);
  return {
    counters,
    close() {
      save();
      return file.close();
    },
  };
}
