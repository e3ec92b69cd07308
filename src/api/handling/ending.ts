/**
 * Records that end by themselves and of which there may be so many: room for one more, and until when it holds. Called by the
 * handlers that write one.
 */
import { type Ending, isStanding } from '../../domain/until.ts';
import type { Key, Prefix } from '../../store/records.ts';
import type { Tx } from './transaction.ts';

/** limit: what shall hold for longer than a year has no end. */
export const MOST_SECONDS = 366 * 86_400;

export function endingAfter({ now }: Pick<Tx, 'now'>, seconds: number | undefined): Ending {
  return seconds === undefined ? {} : { until: now + seconds * 1000 };
}

/** Whether `key` may be written among at most so many; those that have ended go where they are too many. */
export function hasRoom<T extends Ending>(tx: Tx, prefix: Prefix<T>, most: number, key: Key<T>): boolean {
  if (tx.count(prefix) < most) return true;
  const all = tx.list(prefix);
  const ended = all.filter(({ value }) => !isStanding(value, tx.now));
  for (const { key } of ended) tx.delete(key as Key<T>);
  return all.length - ended.length < most || tx.get(key) !== undefined;
}
