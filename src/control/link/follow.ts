/**
 * The control end's own look at the records: their digest for the beat, and for the facts which areas each site serves and how
 * far the world is. One watcher for all edges; it keeps no record. Started by server.ts.
 */
import type { Area } from '../../domain/l4-proxy/l4-proxy.ts';
import type { Site } from '../../domain/site/site.ts';
import type { FactWorld } from '../../facts/facts.ts';
import type { Clock } from '../../lib/clock.ts';
import { Digest } from '../../link/digest.ts';
import { recordText } from '../../link/frames.ts';
import type { Log } from '../../observe/log.ts';
import { EDGE_PREFIXES, keys } from '../../store/records.ts';
import type { Revision, Store, WatchEvent } from '../../store/store.ts';

interface Followed {
  /** Of the records an edge follows, if this revision is the one reached. */
  digest(revision: Revision): number | undefined;
  /** Resolves once the signal has aborted and the watcher is gone. */
  readonly ended: Promise<void>;
}

interface Options {
  readonly store: Store;
  readonly facts: Pick<FactWorld, 'site' | 'reach'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const AGAIN_MS = 1_000;

export function followSites({ store, facts, clock, log, signal }: Options): Followed {
  const digest = new Digest();
  let reached = -1;
  let whole = false;

  function see(event: WatchEvent): void {
    if (event.kind === 'batch') for (const { key, value } of event.changes) put(key, value, event.revision);
    else for (const record of event.records) put(record.key, record.value, record.revision);
    reached = event.revision;
    whole = event.kind === 'batch' || event.done;
    if (event.kind === 'snapshot' && event.done) facts.reach(event.revision);
  }
  function put(key: string, value: unknown, revision: Revision): void {
    digest.put(recordText(key, value, revision));
    if (key.startsWith(keys.sites())) facts.site(key.slice(keys.sites().length), areasOf(value));
  }
  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        digest.clear();
        whole = false;
        for await (const event of store.watch(EDGE_PREFIXES, 0, signal)) see(event);
      } catch (error) {
        if (!signal.aborted)
          log.warn('following the records for the link failed', { reason: (error as Error).message });
      }
      await clock.sleep(AGAIN_MS, signal);
    }
  }
  return {
    digest: (revision) => (whole && reached === revision ? digest.value : undefined),
    ended: follow(),
  };
}

function areasOf(value: unknown): readonly Area[] | undefined {
  const areas: unknown = (value as Site | null | undefined)?.areas;
  return Array.isArray(areas) ? (areas as Area[]) : undefined;
}
