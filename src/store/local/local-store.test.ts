/** What only shows with a medium that can be held back or fail. What holds for every backend is in the store suite. */
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { LocalStore } from './local-store.ts';
import type { Medium, Row } from './rows.ts';

/** A medium that keeps nothing and does what it is told when it is told. */
function puppet(): Medium & { readonly asked: Row[][]; answer(error?: Error): Promise<void> } {
  const asked: Row[][] = [];
  const waiting: ((error?: Error) => void)[] = [];
  return {
    asked,
    async answer(error) {
      waiting.shift()!(error);
      await setImmediate();
    },
    scan() {},
    text: (id) => asked.flat().find((row) => row.id === id)?.text ?? undefined,
    texts: () => new Map(),
    rows: () => [],
    persist(rows) {
      asked.push([...rows]);
      return new Promise((resolve, reject) => {
        waiting.push((error) => (error ? reject(error) : resolve()));
      });
    },
    forget: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

const storeOn = (medium: Medium): LocalStore =>
  new LocalStore(medium, { world: 'w', compacted: 0 }, { clock: systemClock, log: silentLog });

test('commits that arrive while the medium is busy go there together', async () => {
  const medium = puppet();
  const store = storeOn(medium);
  const first = store.commit([{ key: 'a/0', value: 0 }], []);
  await setImmediate();
  const rest = Array.from({ length: 20 }, (_, i) => store.commit([{ key: `a/${i + 1}`, value: i }], []));
  await setImmediate();
  assert.equal(medium.asked.length, 1);
  await medium.answer();
  assert.deepEqual(await first, { ok: true, revision: 1 });
  assert.deepEqual(
    medium.asked.map((rows) => rows.length),
    [1, 20],
  );
  await medium.answer();
  const answers = await Promise.all(rest);
  assert.deepEqual(answers.at(-1), { ok: true, revision: 21 });
});

test('nothing is seen before it is durable', async () => {
  const medium = puppet();
  const store = storeOn(medium);
  const commit = store.commit([{ key: 'a/0', value: 0 }], []);
  await setImmediate();
  assert.equal(await store.read((view) => view.get('a/0')), undefined);
  await medium.answer();
  await commit;
  assert.equal((await store.read((view) => view.get('a/0')))?.value, 0);
});

test('when the medium fails every commit of the group is told, none is seen, and the next ones go through', async () => {
  const medium = puppet();
  const store = storeOn(medium);
  const doomed = [1, 2].map((value) => store.commit([{ key: 'a/0', value }], []));
  const told = Promise.allSettled(doomed);
  await setImmediate();
  await medium.answer(new Error('disk full'));
  assert.deepEqual(
    (await told).map((result) => result.status === 'rejected' && String(result.reason)),
    ['Error: disk full', 'Error: disk full'],
  );
  assert.deepEqual(await store.read((view) => [view.revision, view.get('a/0')]), [0, undefined]);
  const next = store.commit([{ key: 'a/0', value: 3 }], [{ key: 'a/0', revision: 0 }]);
  await setImmediate();
  await medium.answer();
  assert.deepEqual(await next, { ok: true, revision: 1 });
});
