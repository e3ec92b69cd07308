import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionRecord } from '../../../domain/fact/fact.ts';
import { CAUSE } from './counters.ts';
import { PARTY, RecordReader, RecordWriter, recordMemory } from './records.ts';

const nameOf = (rule: number): { id: string; proxy: string } | undefined =>
  rule === 3 ? { id: 'rule-3', proxy: 'sid-1' } : undefined;

function readAll(reader: RecordReader): ConnectionRecord[] {
  return [...reader.take(nameOf)];
}

test('what a worker writes is what the agent reads, once', () => {
  const memory = recordMemory();
  const writer = new RecordWriter(memory);
  const reader = new RecordReader(memory, 'w');
  assert.ok(writer.begin(36, 3, false, CAUSE['client-closed'], 1000.4, 2000.6, 12, 34));
  writer.party(PARTY.client, Uint8Array.of(9, 10, 0, 0, 1), 1, 4, 40_000);
  writer.party(PARTY.entry, Uint8Array.of(127, 0, 0, 1), 0, 4, 443);
  const v6 = new Uint8Array(16);
  v6[15] = 1;
  writer.party(PARTY.origin, v6, 0, 16, 65_535);
  writer.commit();
  assert.deepEqual(readAll(reader), [
    {
      id: 'w-10',
      rule: 'rule-3',
      proxy: 'sid-1',
      protocol: 'TCP',
      client: { address: '10.0.0.1', port: 40_000 },
      entry: { address: '127.0.0.1', port: 443 },
      origin: { address: '::1', port: 65_535 },
      startedAt: 1000,
      at: 2001,
      bytesIn: 12,
      bytesOut: 34,
      end: 'client-closed',
    },
  ]);
  assert.deepEqual(readAll(reader), []);
});

test('one that lives has no end, one that reached no origin has none; a rule that nobody knows is passed over', () => {
  const memory = recordMemory();
  const writer = new RecordWriter(memory);
  const reader = new RecordReader(memory, 'w');
  for (const [rule, cause] of [
    [3, -1],
    [4, CAUSE.idle],
    [3, CAUSE['no-origin']],
  ] as const) {
    assert.ok(writer.begin(1, rule, true, cause, 0, 0, 0, 0));
    writer.commit();
  }
  const [living, refused, ...rest] = readAll(reader);
  assert.ok(living && refused && rest.length === 0);
  assert.ok(!('end' in living) && !('origin' in living) && living.protocol === 'UDP');
  assert.equal(refused.end, 'no-origin');
});

test('a full ring takes no more until it is read, and then goes on in order', () => {
  const memory = recordMemory();
  const writer = new RecordWriter(memory);
  const reader = new RecordReader(memory, 'w');
  let number = 0;
  const fill = (): number => {
    let written = 0;
    for (; writer.begin(number, 3, false, 0, 0, 0, 0, 0); written++, number++) writer.commit();
    return written;
  };
  const room = fill();
  assert.ok(room >= 4096);
  assert.equal(readAll(reader).length, room);
  assert.equal(fill(), room);
  const ids = readAll(reader).map(({ id }) => Number.parseInt(id.slice(2), 36));
  assert.deepEqual(
    ids,
    Array.from({ length: room }, (_, i) => room + i),
  );
});
