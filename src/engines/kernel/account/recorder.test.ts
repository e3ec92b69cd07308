import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionRecord, EndCause } from '../../../domain/fact/fact.ts';
import { COLUMN } from './balance.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { endingBits, ENDINGS, markOf, TOLD } from '../table/marks.ts';
import { createRecorder } from './recorder.ts';
import { emptyRules } from '../testdata/rule-set.ts';
import { flow } from '../testdata/flow.ts';
import { RULES } from '../testdata/rules.ts';

function desk(listener = RULES.one) {
  const registry = emptyRules();
  const rule = registry.take(listener.id, listener.proxy);
  assert.ok(rule);
  rule.listener = listener;
  const written: ConnectionRecord[] = [];
  const failed: string[] = [];
  const desk = {
    now: 2_000_000,
    rule,
    failed,
    problem: undefined as string | undefined,
    get records() {
      recorder.settle();
      return written;
    },
  };
  let uuids = 0;
  const recorder = createRecorder({
    now: () => desk.now,
    uuid: () => `id-${++uuids}`,
    write: () => desk.problem,
    record: (record) => written.push(record),
    failed: (reason) => failed.push(reason),
    at: (index) => registry.at(index),
  });
  return Object.defineProperty(desk, 'recorder', { value: recorder }) as typeof desk & { recorder: typeof recorder };
}

const marked = (ending: keyof typeof ENDINGS): number => (markOf(1, 3) | endingBits(ENDINGS[ending])) >>> 0;

test('how a connection ended is in its mark, else in its state', () => {
  const cases: readonly (readonly [EndCause, Partial<Flow>])[] = [
    ['client-closed', { mark: marked('clientFin'), state: 7 }],
    ['origin-closed', { mark: marked('originFin'), state: 7 }],
    ['client-reset', { mark: marked('clientReset'), state: 8 }],
    ['origin-reset', { mark: marked('originReset'), state: 8, status: 6 }],
    ['origin-refused', { mark: marked('originReset'), state: 8, status: 2 }],
    ['origin-refused', { state: 8, status: 0, packetsOut: 1 }],
    ['idle', { state: 8, status: 0, packetsOut: 0 }],
    ['origin-timeout', { state: 1, status: 0 }],
    ['idle', { state: 3 }],
    ['idle', { protocol: 17, state: 0 }],
  ];
  const world = desk();
  const { recorder, rule } = world;
  for (const [cause, change] of cases) assert.equal(recorder.ended(flow(change)), cause);
  assert.deepEqual(
    world.records.map(({ end }) => end),
    cases.map(([cause]) => cause),
  );
  assert.deepEqual([rule.account.counted.ends.idle, rule.account.counted.ends['client-closed']], [3, 1]);
});

test('the record tells when the last packet passed, not when the kernel forgot', () => {
  const world = desk();
  const { recorder } = world;
  recorder.ended(flow({ mark: marked('clientFin'), state: 7, startedAt: 1_500_000, endedAt: 1_902_000 }));
  recorder.ended(flow({ mark: marked('clientReset'), state: 8, startedAt: 1_500_000, endedAt: 1_500_100 }));
  recorder.ended(flow({ endedAt: 3_000_000 }));
  assert.deepEqual(
    world.records.map(({ at }) => at),
    [1_900_000, 1_500_000, 2_000_000],
  );
});

test('an end that the engine makes has its cause, once', () => {
  const world = desk();
  const { recorder } = world;
  const one = flow();
  recorder.ending(one, 'drained');
  assert.equal(recorder.ended(one), 'drained');
  assert.equal(recorder.ended(one), 'idle');
  assert.equal(world.records[0]?.at, 2_000_000);
});

test('UDP counts payload, TCP whole packets; an origin that never answered is none', () => {
  const world = desk();
  const { recorder } = world;
  recorder.ended(flow({ protocol: 17, packetsIn: 2, bytesIn: 2 * 28 + 5, packetsOut: 0, bytesOut: 0, status: 0 }));
  recorder.ended(flow({ protocol: 17, family: 6, packetsIn: 2, bytesIn: 2 * 48 + 5 }));
  recorder.ended(flow());
  assert.deepEqual(
    world.records.map(({ bytesIn }) => bytesIn),
    [5, 5, 1000],
  );
  assert.deepEqual(
    world.records.map(({ origin }) => origin?.port),
    [undefined, 8080, 8080],
  );
});

test('a long connection is told every minute, and in the end only what is new', () => {
  const world = desk();
  const one = flow({ startedAt: 2_000_000, mark: (markOf(1) | TOLD) >>> 0 });
  for (let second = 0; second <= 130; second += 10) {
    world.now = 2_000_000 + second * 1000;
    world.recorder.alive({ ...one, bytesIn: 1000 + second });
  }
  world.recorder.ended({ ...one, bytesIn: 1500 });
  const told = world.records.map(({ id, bytesIn, end }) => [id, bytesIn, end]);
  assert.deepEqual(told, [
    ['id-1', 1060, undefined],
    ['id-1', 60, undefined],
    ['id-1', 380, 'idle'],
  ]);
});

test('of what is in no sample, of what is over and of rules that are gone there is no minute record', () => {
  const world = desk();
  const { recorder } = world;
  recorder.alive(flow({ startedAt: 0 }));
  recorder.alive(flow({ startedAt: 0, state: 7, mark: (markOf(1) | TOLD) >>> 0 }));
  recorder.alive(flow({ startedAt: 0, mark: (markOf(9) | TOLD) >>> 0 }));
  assert.equal(recorder.ended(flow({ mark: markOf(9) })), undefined);
  assert.deepEqual(world.records, []);
});

test('an end that was seen is counted, if it is told at all; a connection that only vanished says so', () => {
  const world = desk();
  const { recorder, rule } = world;
  recorder.ended(flow({ mark: markOf(1) }));
  recorder.ended(flow({ mark: (markOf(1) | TOLD) >>> 0 }));
  recorder.ended(flow({ mark: (markOf(1) | TOLD) >>> 0 }), 'unseen');
  assert.equal(rule.account.row[COLUMN.closed], 2);
  assert.equal(world.records.at(-1)?.end, 'unseen');
});

test('an end whose record cannot be written was not heard, for the account', () => {
  const world = desk();
  const { recorder, rule, failed } = world;
  const one = flow({ mark: (markOf(1) | TOLD) >>> 0 });
  const closed = () => [rule.account.row[COLUMN.closed], rule.account.row[COLUMN.written]];
  recorder.ended(one);
  assert.deepEqual(closed(), [1, 0]);
  recorder.settle();
  assert.deepEqual(closed(), [1, 1]);
  world.problem = 'no space';
  recorder.ended(one);
  recorder.settle();
  assert.deepEqual([closed(), failed], [[1, 1], ['no space']]);
});
