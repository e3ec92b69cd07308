import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedPersistence, persistenceMemory } from './persistence.ts';

const address = (n: number): Uint8Array => Uint8Array.of(10, n >> 16, (n >> 8) & 255, n & 255);

test("a client is remembered for the rule's time after its last connection, in every worker", () => {
  const memory = persistenceMemory();
  const one = new SharedPersistence(memory, 30);
  const other = new SharedPersistence(memory, 30);
  assert.equal(other.recall(address(1), 0, 4, 1_000_000), -1);
  one.remember(address(1), 0, 4, 7, 1_000_000);
  assert.equal(other.recall(address(1), 0, 4, 1_029_000), 7);
  assert.equal(other.recall(address(1), 0, 4, 1_030_000), -1);
  other.remember(address(1), 0, 4, 0, 1_029_000);
  assert.equal(one.recall(address(1), 0, 4, 1_058_000), 0);
});

test('the time is kept to the millisecond, and may be a little ahead in another worker', () => {
  const persistence = new SharedPersistence(persistenceMemory(), 1);
  // Also where the 32 bits of a time run over.
  for (const start of [990, 2 ** 31 - 100, 2 ** 32 - 100]) {
    persistence.remember(address(1), 0, 4, 7, start);
    for (const later of [-50, 0, 10, 999]) assert.equal(persistence.recall(address(1), 0, 4, start + later), 7);
    assert.equal(persistence.recall(address(1), 0, 4, start + 1000), -1);
  }
});

test('a client whose target failed is forgotten, others are not', () => {
  const persistence = new SharedPersistence(persistenceMemory(), 30);
  persistence.remember(address(1), 0, 4, 1, 0);
  persistence.remember(address(2), 0, 4, 2, 0);
  persistence.forget(address(1), 0, 4);
  assert.equal(persistence.recall(address(1), 0, 4, 0), -1);
  assert.equal(persistence.recall(address(2), 0, 4, 0), 2);
});

test('thousands of clients are told apart, by IPv6 addresses too', () => {
  const persistence = new SharedPersistence(persistenceMemory(), 30);
  const v6 = (n: number): Uint8Array => Uint8Array.of(...Array.from({ length: 12 }, () => 0), ...address(n));
  for (let n = 0; n < 10_000; n++) persistence.remember(address(n), 0, 4, n, 0);
  for (let n = 0; n < 10_000; n++) persistence.remember(v6(n), 0, 16, 50_000 + n, 0);
  const kept = (found: number, wanted: number): number => {
    assert.ok(found === wanted || found === -1, `${found} for ${wanted}`);
    return found === wanted ? 1 : 0;
  };
  let right = 0;
  for (let n = 0; n < 10_000; n++) {
    right += kept(persistence.recall(address(n), 0, 4, 0), n) + kept(persistence.recall(v6(n), 0, 16, 0), 50_000 + n);
  }
  assert.ok(right > 19_500, `${right} of 20,000 are still known`);
});

test('a full table forgets those that were silent longest first', () => {
  const persistence = new SharedPersistence(persistenceMemory(), 1000);
  for (let n = 0; n < 200_000; n++) persistence.remember(address(n), 0, 4, n, n * 2);
  let late = 0;
  let early = 0;
  for (let n = 0; n < 20_000; n++) if (persistence.recall(address(n), 0, 4, 400_000) === n) early++;
  for (let n = 180_000; n < 200_000; n++) if (persistence.recall(address(n), 0, 4, 400_000) === n) late++;
  assert.ok(late > 17_000 && early < 1000, `${early} early, ${late} late`);
});
