import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { balance, closeAccount, countEnd, startAnew } from './balance.ts';
import { absorb } from './counts.ts';
import { emptyRules } from '../testdata/rule-set.ts';

function desk() {
  const { account } = emptyRules().take('rule-a', 'p') ?? assert.fail();
  const element = (set: 'fresh' | 'told') => ({ set, key: '0xe0000400', data: '' });
  return {
    account,
    /** What the kernel's counters say now. */
    read: (fresh: number, told: number): void => {
      absorb(account, 'fresh', element('fresh'), { packets: fresh, bytes: 0 });
      absorb(account, 'told', element('told'), { packets: told, bytes: 0 });
    },
  };
}

test('what is neither alive nor heard of is lost, once it is missing twice', () => {
  const { account, read } = desk();
  read(10, 10);
  for (let i = 0; i < 4; i++) countEnd(account);
  balance(account, 3);
  assert.deepEqual(account.counted.unrecorded, { sampled: 0, lost: 0 });
  balance(account, 3);
  balance(account, 3);
  assert.deepEqual(account.counted.unrecorded, { sampled: 0, lost: 3 });
  // One that was only late.
  balance(account, 2);
  countEnd(account);
  balance(account, 2);
  assert.equal(account.counted.unrecorded.lost, 3);
  closeAccount(account);
  assert.equal(account.counted.unrecorded.lost, 5);
});

test('what is in no sample is neither lost nor counted before it is sure', () => {
  const { account, read } = desk();
  read(100, 10);
  balance(account, 10);
  balance(account, 10);
  assert.deepEqual(account.counted.unrecorded, { sampled: 90, lost: 0 });
  // Told was read later than fresh.
  read(100, 12);
  assert.equal(account.counted.unrecorded.sampled, 90);
  read(110, 13);
  assert.equal(account.counted.unrecorded.sampled, 97);
});

test('a table that is made anew takes its counters along, not the connections', () => {
  const { account, read } = desk();
  read(10, 10);
  for (let i = 0; i < 7; i++) countEnd(account);
  read(2, 2);
  for (let i = 0; i < 4; i++) countEnd(account);
  for (let i = 0; i < 3; i++) balance(account, 1);
  assert.deepEqual([account.counted.connections, account.counted.unrecorded.lost], [12, 0]);
});

test('a rule with several indices has one account', () => {
  const { account } = emptyRules().take('rule-a', 'p', 2) ?? assert.fail();
  const told = (key: string, packets: number) =>
    absorb(account, 'told', { set: 'told', key, data: '' }, { packets, bytes: 0 });
  const fresh = (key: string, packets: number) =>
    absorb(account, 'fresh', { set: 'fresh', key, data: '' }, { packets, bytes: 0 });
  for (const [key, count] of [
    ['0xe0000400', 30],
    ['0xe0000800', 20],
  ] as const) {
    fresh(key, count);
    told(key, count / 10);
  }
  countEnd(account);
  for (let i = 0; i < 2; i++) balance(account, 3);
  assert.deepEqual([account.counted.connections, account.counted.unrecorded], [50, { sampled: 45, lost: 1 }]);
});

test('what two engines have heard of is not held against what is lost later', () => {
  const { account, read } = desk();
  read(4, 4);
  for (let i = 0; i < 6; i++) countEnd(account);
  balance(account, 0);
  balance(account, 0);
  read(7, 7);
  for (let i = 0; i < 2; i++) balance(account, 1);
  assert.equal(account.counted.unrecorded.lost, 2);
});

test('an engine that knows nothing of the past begins with what lives', () => {
  const { account, read } = desk();
  read(50, 50);
  startAnew(account, 5);
  for (let i = 0; i < 5; i++) countEnd(account);
  read(51, 51);
  for (let i = 0; i < 3; i++) balance(account, 1);
  assert.deepEqual([account.counted.connections, account.counted.unrecorded.lost], [1, 0]);
});

test('whatever happens, connections are records, not in the sample, lost or alive', () => {
  const step = fc.constantFrom('begins', 'begins untold', 'ends', 'is lost', 'balance');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { account, read } = desk();
      let [fresh, told, alive, heard, lost] = [0, 0, 0, 0, 0];
      const look = (): void => (read(fresh, told), balance(account, alive));
      for (const what of steps) {
        if (what === 'balance') look();
        else if (what === 'begins untold') fresh++;
        else if (what === 'begins') [fresh, told, alive] = [fresh + 1, told + 1, alive + 1];
        else if (alive > 0) {
          alive--;
          if (what === 'is lost') {
            lost++;
            continue;
          }
          heard++;
          countEnd(account);
        }
      }
      look();
      look();
      const { connections, unrecorded } = account.counted;
      assert.equal(unrecorded.lost, lost);
      assert.equal(connections, heard + unrecorded.sampled + unrecorded.lost + alive);
    }),
  );
});
