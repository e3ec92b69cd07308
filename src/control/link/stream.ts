/**
 * One edge's stream: the records it follows, revision by revision, verdicts of other edges between them, and a beat while nothing
 * happens. It holds nothing
 * but the part that is being written: an edge that reads slowly slows its own stream only, and is cut when it stops.
 * Called by server.ts; it refuses to look into any record.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { BEAT_MS, LINK_VERSION } from '../../link/contract.ts';
import { encodeBatch, encodeFrame, encodeSnapshot, recordText } from '../../link/frames.ts';
import { EDGE_PREFIXES } from '../../store/records.ts';
import type { Revision, Store, WatchEvent } from '../../store/store.ts';
import type { VerdictStream } from './verdict-feed.ts';

/** An edge that takes nothing for this long is given up; it comes back by itself. */
const STALL_MS = 30_000;

interface StreamOptions {
  readonly store: Store;
  readonly version: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The revision that the edge has. */
  readonly from: Revision;
  /** For an edge that takes them; `wake` is called when some are due. */
  readonly verdicts?: ((wake: () => void) => VerdictStream) | undefined;
  /** Digest of the followed records at this revision, where it is known right now. */
  digest(revision: Revision): number | undefined;
}

/** Resolves when the signal aborts; rejects when the edge stalls or the store drops the watcher. */
export async function streamWorld(out: Writable, options: StreamOptions): Promise<void> {
  const { store, clock, signal } = options;
  let reached = options.from;
  /** Nothing is half written: only now may a beat or verdicts go between. */
  let idle = false;
  const verdicts = options.verdicts?.(tellVerdicts);
  out.on('drain', tellVerdicts);
  const beat = clock.every(BEAT_MS, () => {
    if (!idle || out.writableNeedDrain) return;
    const digest = options.digest(reached);
    out.write(encodeFrame({ kind: 'beat', revision: reached, ...(digest !== undefined && { digest }) }));
  });

  function tellVerdicts(): void {
    while (idle && !out.writableNeedDrain) {
      const line = verdicts?.next();
      if (line === undefined) return;
      out.write(line);
    }
  }
  async function write(line: string): Promise<void> {
    if (out.write(line)) return;
    const stalled = new AbortController();
    const timer = clock.after(STALL_MS, () => stalled.abort(new Error('the edge has stopped reading')));
    await once(out, 'drain', { signal: AbortSignal.any([signal, stalled.signal]) }).finally(() => timer.cancel());
  }
  try {
    const hello = { kind: 'hello', link: LINK_VERSION, version: options.version, world: store.world } as const;
    await write(encodeFrame(hello));
    // A snapshot in parts is no place for a beat.
    idle = options.from > 0;
    for await (const event of store.watch(EDGE_PREFIXES, options.from, signal)) {
      idle = false;
      for (const line of encode(event)) await write(line);
      reached = event.revision;
      idle = event.kind === 'batch' || event.done;
      tellVerdicts();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    idle = false;
    verdicts?.close();
    beat.cancel();
  }
}

function encode(event: WatchEvent): Iterable<string> {
  const { revision } = event;
  if (event.kind === 'batch')
    return [
      encodeBatch(
        revision,
        event.changes.map((change) => recordText(change.key, change.value, revision)),
      ),
    ];
  // wire: null means deleted, so a record that is null is one that isn't there.
  const present = event.records.filter(({ value }) => value !== null);
  const texts = present.map((record) => recordText(record.key, record.value, record.revision));
  return encodeSnapshot(revision, texts, event.done);
}

/** For a store that is damaged: the edge is told nothing of the records, and keeps all it has (`world`, `from`). */
export async function streamNothing(
  out: Writable,
  {
    version,
    clock,
    signal,
    world,
    from,
  }: Pick<StreamOptions, 'version' | 'clock' | 'signal' | 'from'> & { world: string },
): Promise<void> {
  out.write(encodeFrame({ kind: 'hello', link: LINK_VERSION, version, world }));
  while (!signal.aborted) {
    if (!out.writableNeedDrain) out.write(encodeFrame({ kind: 'beat', revision: from }));
    await clock.sleep(BEAT_MS, signal);
  }
}
