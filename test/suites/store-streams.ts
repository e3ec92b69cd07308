/**
 * The stream checker: random commits beside watchers that are slow, stop and resume, and fall behind the history. Every
 * event is compared with what was committed: nothing missing, nothing twice, nothing out of order, nothing in parts.
 */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { WatchDropped } from '../../src/store/errors.ts';
import { type Rng, seededRng } from '../../src/lib/rng.ts';
import type { Change, Revision, Store, WatchEvent } from '../../src/store/store.ts';
import { fold } from './store-watcher.ts';

const PREFIXES = ['a/', 'b/', 'a/x/'];

/** What was committed, by revision; made from the answers alone. */
class Committed {
  readonly #changes: (readonly Change[])[] = [];

  add(revision: Revision, changes: readonly Change[]): void {
    assert.equal(this.#changes[revision], undefined, `revision ${revision} was given twice`);
    this.#changes[revision] = changes;
  }

  /** A watcher may hear of a commit before the one who made it does. */
  async known(revision: Revision): Promise<void> {
    if (revision === 0) return;
    while (this.#changes[revision] === undefined) await setImmediate();
  }

  at(revision: Revision, prefixes: readonly string[]): readonly Change[] {
    return (this.#changes[revision] ?? []).filter(({ key }) => prefixes.some((prefix) => key.startsWith(prefix)));
  }

  world(revision: Revision, prefixes: readonly string[]): Map<string, unknown> {
    const batches = Array.from({ length: revision }, (_, i): WatchEvent => {
      return { kind: 'batch', revision: i + 1, changes: this.at(i + 1, prefixes) };
    });
    return fold(batches);
  }
}

export async function checkStreams(
  store: Store,
  seed: number,
  size: { readonly commits: number; readonly watchers: number },
): Promise<void> {
  const rng = seededRng(seed);
  const committed = new Committed();
  const watchers = Array.from({ length: size.watchers }, (_, i) => {
    const prefixes = PREFIXES.slice(rng.below(2), 2 + rng.below(2));
    return follow(store, committed, size.commits, prefixes, seededRng(seed * 1_000 + i));
  });
  const present = new Set<string>();
  for (let done = 0; done < size.commits;) {
    const together = Math.min(1 + rng.below(5), size.commits - done);
    const answers = Array.from({ length: together }, async () => {
      const changes = randomChanges(rng, present);
      const answer = await store.commit(changes, []);
      assert.ok(answer.ok);
      committed.add(answer.revision, changes);
    });
    await Promise.all(answers);
    done += together;
    if (rng.below(20) === 0) await store.compact(done - rng.below(30));
    for (let pause = rng.below(4); pause > 0; pause--) await setImmediate();
  }
  await Promise.all(watchers);
}

/** Never without effect, so that every commit makes a revision. */
function randomChanges(rng: Rng, present: Set<string>): Change[] {
  const keys = new Set(Array.from({ length: 1 + rng.below(3) }, () => PREFIXES[rng.below(3)]! + rng.below(12)));
  return [...keys].map((key) => {
    if (present.has(key) && rng.below(3) === 0) {
      present.delete(key);
      return { key, value: undefined };
    }
    present.add(key);
    return { key, value: rng.below(1_000_000) };
  });
}

/** Watches until revision `until`, stopping and resuming as it likes, and checks every event. */
async function follow(
  store: Store,
  committed: Committed,
  until: Revision,
  prefixes: readonly string[],
  rng: Rng,
): Promise<void> {
  let at = 0;
  let world = new Map<string, unknown>();
  const lazy = rng.below(3) === 0 ? 60 : 2;
  while (at < until) {
    const stop = new AbortController();
    let left = 1 + rng.below(40);
    const part = new Map<string, unknown>();
    try {
      for await (const event of store.watch(prefixes, at, stop.signal)) {
        await committed.known(event.revision);
        if (event.kind === 'snapshot') {
          for (const record of event.records) part.set(record.key, record.value);
          if (event.done) {
            assert.ok(event.revision >= at);
            at = event.revision;
            world = part;
            assert.deepEqual(world, committed.world(at, prefixes));
          }
        } else {
          assert.equal(event.revision, at + 1);
          at = event.revision;
          assert.deepEqual(event.changes, committed.at(at, prefixes));
          fold([event], world);
        }
        for (let pause = rng.below(lazy); pause > 0; pause--) await setImmediate();
        if (at >= until || --left === 0) stop.abort();
      }
    } catch (error) {
      if (!(error instanceof WatchDropped)) throw error;
    }
  }
  assert.deepEqual(world, committed.world(until, prefixes));
}
