/**
 * What every store backend must do, run by one test file per backend. Each case gets an empty store of its own. What
 * only holds for a store with files (crashes, foreign files) is beside that backend.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WatchDropped } from '../../src/store/errors.ts';
import type { Store, View } from '../../src/store/store.ts';
import { checkStreams } from './store-streams.ts';
import { collect, fold, type Seen } from './store-watcher.ts';

interface StoreUnderTest {
  readonly store: Store;
  /** Closes what is open and removes what it left. */
  remove(): Promise<void>;
}

type OpenStore = (watchHistory?: number) => Promise<StoreUnderTest>;

export function storeSuite(name: string, open: OpenStore): void {
  describe(`store ${name}`, () => {
    let under: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.remove());

    const put = (key: string, value: unknown, revision?: number) =>
      store.commit([{ key, value }], revision === undefined ? [] : [{ key, revision }]);
    const get = (key: string) => store.read((view) => view.get(key));

    test('starts empty at revision 0 and adds exactly 1 with each commit that changes anything', async () => {
      assert.deepEqual(await store.read(summary), { revision: 0, count: 0 });
      assert.deepEqual(await put('a/1', { x: 1 }), { ok: true, revision: 1 });
      assert.deepEqual(await store.commit([], []), { ok: true, revision: 1 });
      assert.deepEqual(await put('a/none', undefined), { ok: true, revision: 1 });
      assert.deepEqual(await put('a/1', undefined), { ok: true, revision: 2 });
      assert.deepEqual(await store.read(summary), { revision: 2, count: 0 });
    });

    test('keeps any JSON value, with the revision that wrote it', async () => {
      const values = [null, false, 0, '', 'ü\u0000😀', [1, [null]], { a: { b: [] } }, { text: 'x'.repeat(300_000) }];
      for (const [i, value] of values.entries()) await put(`v/${i}`, value);
      for (const [i, value] of values.entries()) {
        assert.deepEqual(await get(`v/${i}`), { key: `v/${i}`, value, revision: i + 1 });
      }
      assert.equal(await get('v/99'), undefined);
    });

    test('refuses a key that would not sort the same everywhere', async () => {
      for (const key of ['', 'a/ü', 'a/ b', 'a/\n', 'a/'.padEnd(600, 'x')])
        await assert.rejects(put(key, 1), RangeError);
      assert.equal((await store.read(summary)).revision, 0);
    });

    test('writes all changes of a commit or none', async () => {
      await put('a/1', 'one');
      const changes = [
        { key: 'a/1', value: undefined },
        { key: 'a/2', value: 'two' },
      ];
      assert.deepEqual(await store.commit(changes, [{ key: 'a/3', revision: 1 }]), { ok: false });
      assert.equal((await get('a/1'))?.value, 'one');
      assert.equal(await get('a/2'), undefined);
      assert.deepEqual(await store.commit(changes, [{ key: 'a/1', revision: 1 }]), { ok: true, revision: 2 });
      assert.equal(await get('a/1'), undefined);
      assert.equal((await get('a/2'))?.revision, 2);
    });

    test('a guard holds for exactly the revision it names; 0 means that the key does not exist', async () => {
      assert.deepEqual(await put('a/1', 1, 1), { ok: false });
      assert.deepEqual(await put('a/1', 1, 0), { ok: true, revision: 1 });
      assert.deepEqual(await put('a/1', 2, 0), { ok: false });
      assert.deepEqual(await put('a/1', 2, 1), { ok: true, revision: 2 });
      await put('a/1', undefined);
      assert.deepEqual(await put('a/1', 3, 2), { ok: false });
      assert.deepEqual(await put('a/1', 3, 0), { ok: true, revision: 4 });
    });

    test('of commits that race for one key exactly one wins, and the rest are told', async () => {
      const racers = Array.from({ length: 50 }, (_, i) => put('a/1', i, 0));
      const answers = await Promise.all(racers);
      assert.equal(answers.filter((answer) => answer.ok).length, 1);
      assert.deepEqual(answers[0], { ok: true, revision: 1 });
      assert.equal((await get('a/1'))?.value, 0);
    });

    test('commits that wait together see each other in order and get revisions of their own', async () => {
      const answers = await Promise.all([
        put('a/1', 1, 0),
        put('a/1', 2, 1),
        store.commit([], [{ key: 'a/1', revision: 2 }]),
        put('a/1', undefined, 2),
        put('a/1', 4, 0),
      ]);
      assert.deepEqual(
        answers.map((answer) => answer.ok && answer.revision),
        [1, 2, 2, 3, 4],
      );
    });

    test('lists a prefix in byte order, in pages, and counts it', async () => {
      const keys = ['a', 'a-b/1', 'a/1', 'a/10', 'a/2', 'a/b/1', 'a/b/2', 'a0', 'b/1'];
      await store.commit(
        keys.toReversed().map((key) => ({ key, value: key })),
        [],
      );
      const list = (prefix: string, offset?: number, limit?: number) =>
        store.read((view) =>
          view.list(prefix, { ...(offset && { offset }), ...(limit !== undefined && { limit }) }).map(({ key }) => key),
        );
      assert.deepEqual(await list('a/'), ['a/1', 'a/10', 'a/2', 'a/b/1', 'a/b/2']);
      assert.deepEqual(await list('a/b/'), ['a/b/1', 'a/b/2']);
      assert.deepEqual(await list('a/', 1, 2), ['a/10', 'a/2']);
      assert.deepEqual(await list('a/', 4, 20), ['a/b/2']);
      assert.deepEqual(await list('a/', 5, 1), []);
      assert.deepEqual(await list('a/', 0, 0), []);
      assert.deepEqual(await list('c/'), []);
      assert.equal(await store.read((view) => view.count('a/')), 5);
    });

    test('heads are the same page with the length of each list in its place', async () => {
      const rules = Array.from({ length: 40 }, (_, i) => ({ id: `rule-${i}`, text: 'x'.repeat(100) }));
      await store.commit(
        [
          { key: 'a/1', value: { id: 'one', rules, tags: [], nested: { list: [1, 2] } } },
          { key: 'a/2', value: { id: 'two', rules: [1] } },
          { key: 'a/3', value: [1, 2, 3] },
        ],
        [],
      );
      assert.deepEqual(await store.read((view) => view.heads('a/', { limit: 3 })), [
        { key: 'a/1', value: { id: 'one', rules: 40, tags: 0, nested: { list: [1, 2] } }, revision: 1 },
        { key: 'a/2', value: { id: 'two', rules: 1 }, revision: 1 },
        { key: 'a/3', value: [1, 2, 3], revision: 1 },
      ]);
      assert.deepEqual((await get('a/1'))?.value, { id: 'one', rules, tags: [], nested: { list: [1, 2] } });
    });

    test('a read sees every commit that was answered before it', async () => {
      for (let i = 1; i <= 20; i++) {
        await put(`a/${i}`, i);
        const seen = await store.read((view) => [view.revision, view.count('a/'), view.get(`a/${i}`)?.value]);
        assert.deepEqual(seen, [i, i, i]);
      }
    });

    test('watching from 0 gives the world, then every commit, atomic and in order', async () => {
      await store.commit(
        [
          { key: 'a/1', value: 1 },
          { key: 'b/1', value: 1 },
        ],
        [],
      );
      const seen = await collect(store, ['a/'], 0, 3, async () => {
        await store.commit(
          [
            { key: 'a/2', value: 2 },
            { key: 'a/1', value: undefined },
            { key: 'b/2', value: 2 },
          ],
          [],
        );
        await put('b/3', 3);
      });
      assert.deepEqual(seen, [
        { kind: 'snapshot', revision: 1, records: [{ key: 'a/1', value: 1, revision: 1 }], done: true },
        {
          kind: 'batch',
          revision: 2,
          changes: [
            { key: 'a/2', value: 2 },
            { key: 'a/1', value: undefined },
          ],
        },
        { kind: 'batch', revision: 3, changes: [] },
      ] satisfies Seen);
    });

    test('prefixes that overlap give each record once', async () => {
      await put('a/x/1', 1);
      const [seen] = await collect(store, ['a/x/', 'a/', 'a/'], 0, 1);
      assert.deepEqual(seen?.kind === 'snapshot' && seen.records.map(({ key }) => key), ['a/x/1']);
    });

    test('an empty world is a snapshot too, and a watcher waits for its first commit', async () => {
      const seen = await collect(store, ['a/'], 0, 2, () => put('a/1', 1));
      assert.deepEqual(seen, [
        { kind: 'snapshot', revision: 0, records: [], done: true },
        { kind: 'batch', revision: 1, changes: [{ key: 'a/1', value: 1 }] },
      ] satisfies Seen);
    });

    test('resumes after any revision without a gap', async () => {
      for (let i = 1; i <= 40; i++) await put('a/1', i);
      for (const from of [1, 7, 39]) {
        const seen = await collect(store, ['a/'], from, 40 - from);
        const expected = Array.from({ length: 40 - from }, (_, i) => ({
          kind: 'batch',
          revision: from + 1 + i,
          changes: [{ key: 'a/1', value: from + 1 + i }],
        }));
        assert.deepEqual(seen, expected);
      }
    });

    test('where history is compacted, or a revision not reached, a watcher gets the world instead', async () => {
      for (let i = 1; i <= 10; i++) await put('a/1', i);
      await store.compact(5);
      await store.compact(3);
      for (const [from, kind] of [
        [4, 'snapshot'],
        [5, 'batch'],
        [99, 'snapshot'],
      ] as const) {
        assert.equal((await collect(store, ['a/'], from, 1))[0]?.kind, kind);
      }
    });

    test('a big world comes in parts of one revision, whatever is written meanwhile', async () => {
      const keys = Array.from({ length: 1_000 }, (_, i) => `a/${i}`);
      await store.commit(
        keys.map((key) => ({ key, value: 'before' })),
        [],
      );
      let wrote = 0;
      const seen = await collect(store, ['a/'], 0, 6, undefined, async () => {
        if (wrote++ > 1) return;
        const value = wrote === 1 ? undefined : 'after';
        await store.commit(
          keys.map((key) => ({ key, value })),
          [],
        );
      });
      const parts = seen.filter((event) => event.kind === 'snapshot');
      assert.ok(parts.length > 1);
      assert.deepEqual([...new Set(parts.map((part) => part.revision))], [1]);
      assert.deepEqual(
        parts.map((part) => part.done),
        parts.map((_, i) => i === parts.length - 1),
      );
      assert.equal(fold(parts).size, 1_000);
      assert.deepEqual(new Set(fold(parts).values()), new Set(['before']));
      assert.deepEqual(new Set(fold(seen).values()), new Set(['after']));
    });

    test('a watcher that falls behind the history is dropped with an error, and only it', async () => {
      await put('a/1', 0);
      const slow = store.watch(['a/'], 1, new AbortController().signal)[Symbol.asyncIterator]();
      await put('a/1', 1);
      assert.equal((await slow.next()).value?.revision, 2);
      for (let i = 2; i < 30; i++) await put('a/1', i);
      await store.compact(20);
      await assert.rejects(async () => {
        for (;;) if ((await slow.next()).done) return;
      }, WatchDropped);
      assert.equal((await collect(store, ['a/'], 20, 1))[0]?.revision, 21);
    });

    test('history stays bounded by itself', async () => {
      const small = await open(20);
      try {
        for (let i = 1; i <= 60; i++) await small.store.commit([{ key: 'a/1', value: i }], []);
        assert.equal((await collect(small.store, ['a/'], 45, 1))[0]?.kind, 'batch');
        assert.equal((await collect(small.store, ['a/'], 30, 1))[0]?.kind, 'snapshot');
      } finally {
        await small.remove();
      }
    });

    for (const seed of [1, 2, 3]) {
      test(`no watcher ever misses, repeats, reorders or splits a commit (seed ${seed})`, async () => {
        const small = await open(40);
        try {
          await checkStreams(small.store, seed, { commits: 200, watchers: 6 });
        } finally {
          await small.remove();
        }
      });
    }

    test('a watch ends when its signal aborts or the store closes', async () => {
      const stop = new AbortController();
      const aborted = store.watch(['a/'], 0, stop.signal)[Symbol.asyncIterator]();
      const open = store.watch(['a/'], 0, new AbortController().signal)[Symbol.asyncIterator]();
      await aborted.next();
      await open.next();
      const waiting = [aborted.next(), open.next()];
      stop.abort();
      assert.equal((await waiting[0])?.done, true);
      await store.close();
      assert.equal((await waiting[1])?.done, true);
    });

    test('closing waits for commits under way; afterwards commits are refused', async () => {
      const last = put('a/1', 1);
      await store.close();
      await store.close();
      assert.deepEqual(await last, { ok: true, revision: 1 });
      await assert.rejects(put('a/2', 2), /closed/);
    });
  });
}

function summary(view: View): { revision: number; count: number } {
  return { revision: view.revision, count: view.list('a/').length };
}
