/** Watching in tests: collect so many events, and fold events into the records they leave. */
import type { Revision, Store, WatchEvent } from '../../src/store/store.ts';

export type Seen = WatchEvent[];

/**
 * Watches until `count` events have come. `once` runs when the first has come, `each` after every one of them; both are
 * awaited before the next is asked for.
 */
export async function collect(
  store: Store,
  prefixes: readonly string[],
  from: Revision,
  count: number,
  once?: () => Promise<unknown>,
  each?: () => Promise<unknown>,
): Promise<Seen> {
  const stop = new AbortController();
  const seen: Seen = [];
  if (count === 0) return seen;
  for await (const event of store.watch(prefixes, from, stop.signal)) {
    seen.push(event);
    if (seen.length === count) stop.abort();
    if (seen.length === 1) await once?.();
    await each?.();
  }
  return seen;
}

/** The records that events leave when they are applied in order. Later parts of a snapshot add to the first. */
export function fold(events: readonly WatchEvent[], records = new Map<string, unknown>()): Map<string, unknown> {
  let within = false;
  for (const event of events) {
    if (event.kind === 'snapshot') {
      if (!within) records.clear();
      within = !event.done;
      for (const { key, value } of event.records) records.set(key, value);
      continue;
    }
    for (const { key, value } of event.changes) {
      if (value === undefined) records.delete(key);
      else records.set(key, value);
    }
  }
  return records;
}
