import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener } from '../../../test/suites/engine/listener.ts';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { egressRule } from '../../lib/net/egress.ts';
import { seededRng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import { silentLog } from '../../observe/log.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { Lookup } from './lookup.ts';
import { OriginNames } from './names.ts';
import { Origins } from './origins.ts';

function rule(id: string, port: number, host: string, to: number): PlannedRule {
  const { targets: _, ...rest } = listener({ id, entries: ['192.0.2.1'], ports: [{ from: port, to: port }] });
  return { ...rest, origins: [{ host, weight: 1, tier: 0 }], originPorts: { from: to, to } };
}

function opened(lookup: Lookup = () => Promise.reject(new Error('ENOTFOUND'))) {
  const clock = new ManualClock();
  const names = new OriginNames({ lookup, clock, rng: seededRng(1), log: silentLog });
  const local = { has: () => false, changed: new Signal(), stop() {} };
  const dialling = { egress: egressRule(['10.0.0.0/8']), lookup };
  const origins = new Origins({ names, dialling, local });
  const changed: string[] = [];
  origins.changed.listen((rules) => changed.push(...rules));
  return { clock, origins, changed };
}

test('targets, with what is not dialled and why; a refusal only where none may be', async () => {
  const { origins } = opened();
  const free = await origins.targets(rule('a', 80, '198.51.100.1', 80), false);
  assert.deepEqual(free, {
    targets: [{ number: 0, address: '198.51.100.1', weight: 1, tier: 0 }],
    unresolved: [],
    notes: [],
  });
  const denied = await origins.targets(rule('b', 81, '10.0.0.1', 80), false);
  assert.match(denied.refusal ?? '', /^denied: 10\.0\.0\.1/);
  assert.deepEqual(denied.notes, [denied.refusal]);
  const both = rule('c', 82, '10.0.0.1', 80);
  const origins2 = [...both.origins, { host: '198.51.100.1', weight: 1, tier: 0 }];
  const some = await origins.targets({ ...both, origins: origins2 }, true);
  assert.deepEqual([some.notes.length, some.refusal], [1, undefined]);
});

test('a name that does not answer holds its rule up for a second; its first address is told', async () => {
  const answer = Promise.withResolvers<{ addresses: string[]; ttlSeconds: number }>();
  const { clock, origins, changed } = opened(() => answer.promise);
  const named = rule('a', 80, 'a.example', 80);
  origins.use('a', named.origins);
  const asked = origins.targets(named, false);
  await clock.advance(1_000);
  assert.deepEqual([(await asked).unresolved, (await asked).targets, changed], [['a.example'], [], []]);
  answer.resolve({ addresses: ['198.51.100.7'], ttlSeconds: 60 });
  await clock.advance(0);
  assert.deepEqual(changed, ['a']);
  assert.deepEqual((await origins.targets(named, false)).targets[0]?.address, '198.51.100.7');
  await origins.close();
  assert.equal(clock.waiting, 0);
});

test('a rule that leads to a listener of the edge is told when that listens and when it goes; a forgotten one is not', async () => {
  const { origins, changed } = opened();
  const leads = rule('a', 80, '192.0.2.1', 81);
  origins.use('a', leads.origins);
  assert.deepEqual((await origins.targets(leads, false)).notes, []);
  origins.listens('b', rule('b', 81, '', 1));
  assert.deepEqual(changed.splice(0), ['a']);
  assert.match((await origins.targets(leads, false)).refusal ?? '', /^loop: TCP 192\.0\.2\.1:81 is a listener/);
  const { isOwn } = origins.dialling;
  const asked = [isOwn('TCP', '192.0.2.1', 81), isOwn('UDP', '192.0.2.1', 81), isOwn('TCP', '192.0.2.1', 80)];
  assert.deepEqual(asked, [true, false, false]);
  origins.listens('b', undefined);
  assert.deepEqual(changed.splice(0), ['a']);
  origins.use('a', []);
  origins.listens('b', rule('b', 81, '', 1));
  assert.deepEqual(changed, []);
});
