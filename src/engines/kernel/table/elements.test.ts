/** What is written as bytes is what is read back: the two halves of nf-tables.ts hold each other to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eachMessage, encode } from '../../../linux/netlink/messages.ts';
import { elementMessages, elementRequest } from '../../../linux/nft/batch.ts';
import { readElements, readName, readOwner } from '../../../linux/nft/elements.ts';
import { contentsOf } from './contents.ts';
import { type Element, NO_CONTENTS } from './sets.ts';
import { settingsName, settingsOf } from './settings.ts';
import { LAYOUT, type SetName } from './sets.ts';
import { RULES } from '../testdata/rules.ts';
import { difference } from '../../../linux/nft/transaction.ts';

function elements(): Element[] {
  return Object.values(RULES).flatMap((listener, i) => {
    const slots = new Map(listener.targets.map(({ address }, slot) => [address, slot + 1]));
    const place = { indices: [i + 1], slots, settings: settingsName(settingsOf(listener)) };
    return [...contentsOf(listener, place).elements.values()];
  });
}

test('elements of every set survive the way to the kernel and back', () => {
  const all = elements();
  const changes = difference(NO_CONTENTS, {
    ...NO_CONTENTS,
    elements: new Map(all.map((one) => [`${one.set} ${one.key}`, one])),
  });
  const back: Element[] = [];
  for (const change of changes) {
    assert.ok(typeof change !== 'string' && 'verb' in change);
    for (const message of elementMessages(LAYOUT, [change])) {
      const bytes = encode(message);
      const view = new DataView(bytes.buffer);
      eachMessage(view, bytes.length, ({ body, end }) =>
        readElements(LAYOUT, change.set, view, body, end, (element) => back.push(element)),
      );
    }
  }
  const sorted = (list: readonly Element[]) => list.map((one) => JSON.stringify(one)).toSorted();
  const spelled = all.map(({ set, key, data, comment }) => ({ set, key, data, ...(comment && { comment }) }));
  assert.deepEqual(sorted(back), sorted(spelled));
});

test('many elements go in messages that an attribute can hold', () => {
  const many = Array.from({ length: 1001 }, (_, i) => ({
    set: 'fresh' as const,
    key: `0x${i.toString(16)}`,
    data: '',
  }));
  const messages = elementMessages(LAYOUT, [{ verb: 'add', set: 'fresh', elements: many }]);
  assert.equal(messages.length, 6);
  assert.ok(messages.every((message) => encode(message).length < 65_536));
  assert.notEqual(elementRequest(LAYOUT, 'fresh', many.slice(0, 1)).type, messages[0]?.type);
});

test('whatever the bytes say, reading them ends', () => {
  const set = fc.constantFrom<SetName>('entry4', 'span6', 'more4', 'seen4', 'rules');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 300 }), set, (bytes, set) => {
      const view = new DataView(Uint8Array.from(bytes).buffer);
      readElements(LAYOUT, set, view, 0, bytes.length, ({ key }) => assert.equal(typeof key, 'string'));
      readName(LAYOUT, 'CHAIN', view, 0, bytes.length);
      readOwner(view, 0, bytes.length);
    }),
  );
});
