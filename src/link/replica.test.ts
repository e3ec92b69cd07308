import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Frame, FrameRecord } from './contract.ts';
import { LINK_VERSION } from './contract.ts';
import { Replica } from './replica.ts';

const hello = (world = 'w', link = 1): Frame => ({ kind: 'hello', link, version: '1', world });
const put = (key: string, value: unknown, revision: number): FrameRecord => ({ key, value, revision });
const snapshot = (revision: number, records: readonly FrameRecord[], done = true): Frame => ({
  kind: 'snapshot',
  revision,
  records,
  done,
});
const batch = (revision: number, ...changes: FrameRecord[]): Frame => ({ kind: 'batch', revision, changes });
const beat = (revision: number, digest?: number): Frame => ({
  kind: 'beat',
  revision,
  ...(digest !== undefined && { digest }),
});

function at(revision: number, ...records: FrameRecord[]): Replica {
  const replica = new Replica();
  for (const frame of [hello(), snapshot(revision, records)]) replica.accept(frame);
  return replica;
}

const state = (replica: Replica) => ({
  world: replica.world,
  revision: replica.revision,
  records: [...replica.records.values()],
});

test('follows a snapshot in parts, then revision by revision', () => {
  const replica = new Replica();
  const kinds = [
    hello(),
    snapshot(4, [put('a', 1, 3)], false),
    beat(0),
    snapshot(4, [put('b', 1, 4)]),
    batch(5, put('a', null, 5), put('c', 1, 5)),
    batch(6),
    beat(6),
  ].map((frame) => replica.accept(frame).kind);
  assert.deepEqual(kinds, ['none', 'none', 'none', 'replaced', 'changed', 'changed', 'none']);
  assert.deepEqual(state(replica), { world: 'w', revision: 6, records: [put('b', 1, 4), put('c', 1, 5)] });
});

test('a stream that can’t be believed changes nothing', () => {
  const cases: readonly (readonly [RegExp, ...Frame[]])[] = [
    [/before the hello/, batch(4)],
    [/second hello/, hello(), hello()],
    [/link version 2/, hello('w', 2)],
    [/name its world/, hello('')],
    [/revision 5 where 4 was due/, hello(), batch(5)],
    [/revision 3 where 4 was due/, hello(), batch(3)],
    [/does not fit its batch/, hello(), batch(4, put('x', 1, 3))],
    [/does not fit its batch/, hello(), batch(4, put('x', 1, 4), put('x', 2, 4))],
    [/control is at 5, not 3/, hello(), beat(5)],
    [/records differ/, hello(), beat(3, 1)],
    [/another world/, hello('v'), batch(4)],
    [/inside a snapshot/, hello(), snapshot(9, [], false), batch(10)],
    [/two snapshots/, hello(), snapshot(9, [], false), snapshot(10, [])],
    [/newer than its snapshot/, hello(), snapshot(9, [put('x', 1, 10)])],
    [/twice, or deleted/, hello(), snapshot(9, [put('x', 1, 1), put('x', 1, 1)])],
    [/twice, or deleted/, hello(), snapshot(9, [put('x', null, 1)])],
  ];
  for (const [reason, ...frames] of cases) {
    const replica = at(3, put('a', 1, 2));
    const before = state(replica);
    replica.begin();
    const last = frames.map((frame) => replica.accept(frame)).at(-1);
    assert.match(last?.kind === 'broken' ? last.reason : `${last?.kind}`, reason);
    assert.deepEqual(state(replica), before);
  }
});

test('half a snapshot is forgotten when the stream breaks', () => {
  const replica = at(3, put('a', 1, 2));
  replica.begin();
  for (const frame of [hello(), snapshot(8, [put('b', 1, 8)], false)]) replica.accept(frame);
  replica.begin();
  replica.accept(hello());
  assert.equal(replica.accept(batch(4, put('c', 1, 4))).kind, 'changed');
  assert.deepEqual([...replica.records.keys()], ['a', 'c']);
});

test('another world, or an older copy of this one, is another history', () => {
  const other = (world: string, revision: number) => {
    const replica = at(3, put('a', 1, 2));
    replica.begin();
    replica.accept(hello(world));
    const step = replica.accept(snapshot(revision, []));
    return step.kind === 'replaced' && step.other;
  };
  assert.deepEqual([other('v', 9), other('w', 2), other('w', 3), other('w', 9)], [true, true, false, false]);
});

test('the digest is of the records, not of the way to them', () => {
  const change = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(fc.jsonValue()) });
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(change, { selector: ({ key }) => key })), (batches) => {
      const walked = at(0);
      for (const [i, changes] of batches.entries())
        walked.accept(batch(i + 1, ...changes.map(({ key, value }) => put(key, value, i + 1))));
      const told = at(walked.revision, ...walked.records.values());
      assert.equal(told.digest, walked.digest);
      const [first] = walked.records.values();
      if (!first) return assert.equal(walked.digest, 0);
      const less = at(walked.revision, ...[...walked.records.values()].slice(1));
      assert.notEqual(less.digest, walked.digest);
      const older = at(
        walked.revision,
        { ...first, revision: first.revision - 1 },
        ...[...walked.records.values()].slice(1),
      );
      assert.notEqual(older.digest, walked.digest);
    }),
  );
});

test('a world that is refused is not taken, whatever comes of it, until another one speaks', () => {
  const replica = new Replica();
  const hello = (world: string) => ({ kind: 'hello', link: LINK_VERSION, version: '1', world }) as const;
  const record = { key: 'proxy/z/a', value: { rules: [1] }, revision: 1 };
  replica.accept(hello('first'));
  replica.accept({ kind: 'snapshot', revision: 1, records: [record], done: true });
  const judged: string[] = [];
  replica.judgeBy((world, records) => {
    judged.push(`${world} ${records.size}`);
    return records.size > 0;
  });
  for (let time = 0; time < 2; time++) {
    replica.begin();
    replica.accept(hello('empty'));
    assert.deepEqual(replica.accept({ kind: 'snapshot', revision: 0, records: [], done: true }), { kind: 'none' });
    const batch = { kind: 'batch', revision: 1, changes: [record] } as const;
    assert.deepEqual(replica.accept(batch), { kind: 'none' });
    assert.deepEqual(replica.accept({ kind: 'beat', revision: 1 }), { kind: 'none' });
    assert.deepEqual([replica.world, replica.refused, replica.records.size], ['first', 'empty', 1]);
  }
  assert.deepEqual(judged, ['empty 0'], 'asked once');
  replica.begin();
  replica.accept(hello('first'));
  assert.equal(replica.refused, '');
  replica.begin();
  replica.accept(hello('restored'));
  assert.equal(replica.accept({ kind: 'snapshot', revision: 1, records: [record], done: true }).kind, 'replaced');
  assert.deepEqual([replica.world, replica.refused], ['restored', '']);
});
