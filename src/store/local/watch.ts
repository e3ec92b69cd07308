/**
 * A watcher of a local world: a position in the log and nothing else. It queues nothing, so a slow reader costs no
 * memory; when history is compacted past its position it is dropped and comes back for a snapshot.
 */
import { WatchDropped } from '../errors.ts';
import type { Batch, Revision, Stored, WatchEvent } from '../store.ts';
import type { Entry } from './key-index.ts';
import { revisionOf, type RowId } from './rows.ts';

/** limit: about 1 MB of records at 10 rules each, read in a few milliseconds. */
const RECORDS_PER_PART = 256;

export interface Watched {
  revision(): Revision;
  compacted(): Revision;
  closed(): boolean;
  under(prefix: string): Entry[];
  /** The values of rows; those that compaction has dropped are missing. */
  values(ids: readonly RowId[]): ReadonlyMap<RowId, unknown>;
  /** Some of the commits after `revision`, in order, at least one where there is one. */
  after(revision: Revision): readonly Batch[];
  /** Resolves at the next commit, when the store closes or when the signal aborts. */
  moved(signal: AbortSignal): Promise<void>;
}

export async function* watch(
  world: Watched,
  prefixes: readonly string[],
  from: Revision,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  let at = from;
  if (from === 0 || from < world.compacted() || from > world.revision()) {
    at = world.revision();
    yield* snapshot(world, prefixes, signal);
  }
  while (!signal.aborted && !world.closed()) {
    if (at < world.compacted()) throw new WatchDropped(at, world.compacted());
    if (at === world.revision()) {
      await world.moved(signal);
      continue;
    }
    for (const { revision, changes } of world.after(at)) {
      if (signal.aborted) return;
      at = revision;
      yield { kind: 'batch', revision, changes: changes.filter(({ key }) => prefixes.some((p) => key.startsWith(p))) };
    }
  }
}

/**
 * The world at the revision of the first part. Later commits don't disturb it: the rows it names stay until history is
 * compacted past that revision.
 */
async function* snapshot(
  world: Watched,
  prefixes: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const revision = world.revision();
  const widest = [...new Set(prefixes)].filter(
    (one) => !prefixes.some((other) => one !== other && one.startsWith(other)),
  );
  const entries = widest.flatMap((prefix) => world.under(prefix));
  for (let start = 0; !signal.aborted && !world.closed(); start += RECORDS_PER_PART) {
    const end = start + RECORDS_PER_PART;
    const part = entries.slice(start, end);
    const values = world.values(part.map(({ id }) => id));
    if (values.size < part.length) throw new WatchDropped(revision, world.compacted());
    const records = part.map(({ key, id }): Stored => ({ key, value: values.get(id), revision: revisionOf(id) }));
    const done = end >= entries.length;
    yield { kind: 'snapshot', revision, records, done };
    if (done) return;
  }
}
