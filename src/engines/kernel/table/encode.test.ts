/** That the bytes mean what the text means, the kernel tells (kernel-direct.root.ts); here, which statements have any. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Statement } from '../../../linux/nft/transaction.ts';
import { difference } from '../../../linux/nft/transaction.ts';
import type { Listener } from '../../engine.ts';
import { target } from '../../../../test/suites/engine/listener.ts';
import { messagesOf } from './encode.ts';
import { contentsOf } from './contents.ts';
import { NO_CONTENTS, type SetName } from './sets.ts';
import { RULES } from '../testdata/rules.ts';

const changesOf = (listener: Listener): Statement<SetName>[] => {
  const slots = new Map(listener.targets.map(({ address }, slot) => [address, slot + 1]));
  return difference(NO_CONTENTS, contentsOf(listener, { indices: [7], slots, settings: 's' }));
};

test('every kind of rule can be written without nft', () => {
  for (const [name, listener] of Object.entries(RULES)) assert.ok(messagesOf(changesOf(listener)), name);
});

test('what is not known goes through nft: settings, a turn of many counts, a foreign line', () => {
  const [first] = Object.values(RULES);
  assert.ok(first);
  const weights = [300, 299, 298, 297, 296, 295].map((weight, i) => target(`10.0.0.${i + 1}`, weight));
  const isLong = ({ targets }: Pick<Listener, 'targets'>): boolean =>
    messagesOf(changesOf({ ...first, entries: ['10.1.0.1'], targets })) === undefined;
  assert.ok(isLong({ targets: weights }));
  assert.ok(!isLong({ targets: weights.slice(0, 2) }));
  assert.equal(messagesOf(['add chain inet edgefour x']), undefined);
  assert.equal(messagesOf([{ chain: 'x', lines: ['jump y', 'counter'] }]), undefined);
  assert.equal(messagesOf([{ map: 'x', spec: '{ type mark : mark; }' }]), undefined);
});

test('the kernel is told once per chain, per line and per set', () => {
  const lines = ['ct mark set ip saddr map @k', 'jump one4', 'delete @k { ip saddr : ct mark }'];
  const types = messagesOf([
    { chain: 'x', lines },
    { chain: 'y', lines: undefined },
    { map: 'k', spec: undefined },
  ])?.map(({ type }) => type & 0xff);
  assert.deepEqual(types, [3, 8, 6, 6, 6, 5, 11]);
});
