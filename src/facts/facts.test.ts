import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { Acks } from './acks/acks.ts';
import { CounterBook } from './counters/counter-book.ts';
import { factsOf } from './facts.ts';

const HOUR_MS = 3_600_000;
const none = { rule: 'r', connections: 1, active: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0 };

function world() {
  const clock = new ManualClock();
  const counters = new CounterBook(clock);
  const facts = factsOf(new Acks(clock), counters, clock);
  const beat = (edge: string) => facts.report.beat({ edge, site: 'paris', version: '1' });
  const count = (edge: string, epoch: string, rule = 'r') => {
    const row = { ...none, rule, dropped: {}, ends: {} };
    facts.report.counters({ edge, epoch, counters: [row], gone: [], recordsLost: 0 });
  };
  const told = () => [...facts.read.counters.all()].map(({ edge, counters }) => `${edge} ${counters.rule}`);
  return { clock, counters, facts, beat, count, told };
}

test('an edge that was last heard of an hour ago leaves no rows; one that lives or was just here keeps them', async () => {
  const { clock, counters, facts, beat, count, told } = world();
  for (const edge of ['lives', 'died', 'unknown']) count(edge, 'x');
  beat('died');
  beat('lives');
  const sweep = () => facts.world.sweep(() => assert.fail());
  await sweep();
  assert.deepEqual(counters.edges(), ['lives', 'died']);
  for (let passed = 0; passed <= HOUR_MS; passed += 5_000) {
    await clock.advance(5_000);
    beat('lives');
  }
  await sweep();
  assert.deepEqual([counters.edges(), told()], [['lives'], ['lives r']]);
});

test('rules are asked for once a process has ended, and those that are no more go with it', async () => {
  const { facts, beat, count, told } = world();
  beat('e');
  count('e', 'old', 'gone');
  count('e', 'old', 'kept');
  await facts.world.sweep(() => assert.fail());
  count('e', 'new', 'fresh');
  await facts.world.sweep(() => Promise.resolve(new Set(['kept'])));
  assert.deepEqual(told(), ['e kept', 'e fresh']);
});
