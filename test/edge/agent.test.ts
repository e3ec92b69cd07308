/** The agent between a real control end and an engine that only writes down: what is acked, kept, told, survived. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineFactory, TargetState } from '../../src/engines/engine.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { controlEnd } from './control-end.ts';
import { edgeOn, PLACE, proxy, rule } from './edges.ts';
import { fakeEngine } from './fake-engine.ts';

const TEN = Array.from({ length: 10 }, (_, i) => rule(`rule-${i}`, 1_000 + i, '198.51.100.1', 80));

test('what is committed is applied, acked and placed', async () => {
  await using control = await controlEnd();
  const node = fakeEngine('node');
  await using edge = await edgeOn(control, node);
  await control.put(PLACE);
  const revision = await control.put({
    'proxy/zone-a/a': proxy('a', '192.0.2.1', [...TEN, rule('toa', 99, '198.51.100.1', 80, { mode: 'TOA' })]),
  });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await edge.ready;
  assert.equal(node.listeners.size, 10);
  assert.deepEqual(control.acks.placements(['rule-3']), [
    { rule: 'rule-3', edge: 'e1', engine: 'node', why: 'first choice', failure: '', unresolved: [] },
  ]);
  assert.match(control.acks.failures('toa').join(), /^e1: TOA needs the uring engine: /);
  const last = await control.put({ 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN.slice(1), { want: 'online' }) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), last));
  assert.deepEqual(
    [node.listeners.size, control.acks.failures('toa'), control.acks.placements(['rule-0'])],
    [9, [], []],
  );
  assert.deepEqual(
    node.calls.filter((call) => call.startsWith('remove')),
    ['remove rule-0'],
  );
  await edge.stop(0);
  assert.equal(node.calls.at(-1), 'stop');
});

test('T29: one record that makes no sense fails alone; the edge goes on with the rest of its batch', async () => {
  await using control = await controlEnd();
  const node = fakeEngine('node');
  await using edge = await edgeOn(control, node);
  await control.put(PLACE);
  const huge = Array.from({ length: 17 }, (_, i) => rule(`huge-${i}`, i + 1, 'x'.repeat(1 << 20), 80));
  const revision = await control.put({
    'proxy/zone-a/good': proxy('good', '192.0.2.1', TEN),
    'proxy/zone-a/huge': proxy('huge', '192.0.2.2', huge),
    'proxy/zone-a/odd': { id: 'sid-odd', zone: 'zone-a', rules: 7 },
    'proxy/zone-a/mixed': proxy('mixed', '192.0.2.3', [
      rule('odd', 1, '198.51.100.1', 80, { portRange: 'all' }),
      rule('fine', 2, '198.51.100.1', 80),
    ]),
    'origin-group/zone-a/og': null,
  });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  assert.equal(node.listeners.size, 11);
  assert.match(control.acks.failures('sid-huge').join(), /cannot be read/);
  assert.match(control.acks.failures('sid-odd').join(), /cannot be read/);
  assert.match(control.acks.failures('odd').join(), /cannot be read/);
  assert.deepEqual([control.acks.failures('fine'), control.acks.failures('rule-3')], [[], []]);
  await edge.stop(0);
});

test('control gone and back: nothing flips, and it is told everything again', async () => {
  await using control = await controlEnd();
  const node = fakeEngine('node');
  await using edge = await edgeOn(control, node);
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await control.down();
  const missed = await control.put({
    'proxy/zone-a/b': proxy('b', '192.0.2.2', [rule('late', 1, '198.51.100.1', 80)]),
  });
  assert.equal(control.acks.applied('overseas'), revision);
  control.acks.report({ ...EMPTY_ACK, applied: revision });
  assert.deepEqual(control.acks.placements(['rule-1']), []);
  const calls = node.calls.length;
  await control.up();
  await eventually(() => assert.equal(control.acks.applied('overseas'), missed));
  assert.equal(control.acks.placements(['rule-1'])[0]?.engine, 'node');
  // The rules that were there are left alone.
  assert.deepEqual(node.calls.slice(calls), ['apply late']);
  await edge.stop(0);
});

const EMPTY_ACK = {
  edge: 'e1',
  site: 'local',
  version: 'test',
  failed: [],
  placed: [],
  fresh: true,
  engines: [],
  alarms: [],
};

test('another world on the same socket: what was served goes, what is there comes, and is acked as such', async () => {
  await using first = await controlEnd();
  const node = fakeEngine('node');
  await using edge = await edgeOn(first, node);
  for (let n = 0; n < 5; n++) await first.put({ ...PLACE, 'zone/other': { n } });
  const revision = await first.put({ 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN) });
  await eventually(() => assert.equal(first.acks.applied('overseas'), revision));
  await first.down();
  await using second = await controlEnd({ isDown: true });
  const rules = [rule('new', 1, '198.51.100.1', 80), TEN[0] ?? {}];
  const fresh = await second.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', rules) });
  await using moved = await controlEnd({ at: first, store: second.store });
  await eventually(() => assert.equal(moved.acks.applied('overseas'), fresh));
  assert.deepEqual([...node.listeners.keys()].toSorted(), ['new', 'rule-0']);
  await edge.stop(0);
});

test('an empty world ends no rule: the edge keeps what it has, and control hears why', async () => {
  await using first = await controlEnd();
  const node = fakeEngine('node');
  await using edge = await edgeOn(first, node);
  const revision = await first.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN) });
  await eventually(() => assert.equal(first.acks.applied('overseas'), revision));
  await first.down();
  await using second = await controlEnd({ isDown: true });
  await second.put({ ...PLACE, 'proxy/zone-a/new': proxy('new', '192.0.2.1', []) });
  await using moved = await controlEnd({ at: first, store: second.store });
  await eventually(() =>
    assert.match(moved.acks.edges()[0]?.alarms.join() ?? '', /the 10 rules it has: restore .* --new-world/),
  );
  // What is made there since is refused too: whose rules end is said by a person.
  await second.put({ 'proxy/zone-a/new': proxy('new', '192.0.2.1', TEN.slice(0, 1)) });
  assert.equal(node.listeners.size, 10);
  assert.equal(moved.acks.edges()[0]?.applied, 0);
  await edge.stop(0);
});

test('a disk that takes nothing: rules are served, acks come, and control hears why the edge complains', async () => {
  await using control = await controlEnd();
  await writeFile(join(control.folder, 'edge'), 'a file where the edge keeps its things');
  const node = fakeEngine('node');
  await using edge = await edgeOn(control, node);
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await eventually(() =>
    assert.match(control.acks.edges()[0]?.alarms.join() ?? '', /copy of the world cannot be written/),
  );
  assert.equal(node.listeners.size, 10);
  await edge.stop(0);
});

test('a damaged copy is served as far as it is proven, and control heals the rest', async () => {
  await using control = await controlEnd();
  await using first = await edgeOn(control, fakeEngine('node'));
  await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), 1));
  const revision = await control.put({ 'proxy/zone-a/b': proxy('b', '192.0.2.2', [rule('b', 1, '198.51.100.1', 80)]) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await first.stop(0);
  await control.down();
  const world = join(control.folder, 'edge', 'world');
  const [name = ''] = await readdir(world);
  const bytes = await readFile(join(world, name));
  bytes[bytes.length - 30] = (bytes[bytes.length - 30] ?? 0) ^ 1;
  await writeFile(join(world, name), bytes);
  const node = fakeEngine('node');
  await using second = await edgeOn(control, node);
  await second.ready;
  assert.equal(node.listeners.size, 10);
  await control.up();
  await eventually(() => assert.match(control.acks.edges()[0]?.alarms.join() ?? '', /damaged/));
  await eventually(() => assert.equal(node.listeners.size, 11));
  await second.stop(0);
});

test('an edge that starts without DNS uses the addresses it knew', async () => {
  await using control = await controlEnd();
  const lookup = async () => ({ addresses: ['198.51.100.7'], ttlSeconds: 60 });
  await using first = await edgeOn(control, fakeEngine('node'), { lookup });
  const revision = await control.put({
    ...PLACE,
    'proxy/zone-a/a': proxy('a', '192.0.2.1', [rule('a', 1, 'o.example', 80)]),
  });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  await first.stop(0);
  await control.down();
  const node = fakeEngine('node');
  await using second = await edgeOn(control, node, { lookup: () => Promise.reject(new Error('no DNS')) });
  await second.ready;
  assert.deepEqual(node.listeners.get('a')?.targets, [{ number: 0, address: '198.51.100.7', weight: 1, tier: 0 }]);
  await second.stop(0);
});

test('an engine that can’t be made is reported, and its rules say so', async () => {
  await using control = await controlEnd();
  const engines = { node: () => Promise.reject(new Error('no threads')) };
  await using edge = await edgeOn(control, undefined, { engines });
  const revision = await control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN.slice(0, 1)) });
  await eventually(() => assert.equal(control.acks.applied('overseas'), revision));
  assert.match(
    control.acks.failures('rule-0').join(),
    /no engine can take it \(node: it could not be started: no threads\)/,
  );
  assert.deepEqual(edge.engines, [{ name: 'node', unavailable: 'it could not be started: no threads' }]);
  await edge.stop(0);
});

test('an address that can’t be read is refused before anything is made', async () => {
  await using control = await controlEnd();
  await assert.rejects(edgeOn({ ...control, socket: 'ftp://control' }, fakeEngine('node')), /give a socket’s path/);
  await assert.rejects(readdir(join(control.folder, 'edge')));
  await rm(join(control.folder, 'edge'), { force: true });
});

test('the last outcomes, which an engine tells at its end, are known to the next edge', async () => {
  await using control = await controlEnd();
  const revision = control.put({ ...PLACE, 'proxy/zone-a/a': proxy('a', '192.0.2.1', TEN.slice(0, 1)) });
  const ending = fakeEngine('node');
  const counts = { refused: 3 };
  const telling: EngineFactory = async (events) => ({
    ...ending,
    async stop() {
      const [target = assert.fail('no target')] = ending.listeners.get('rule-0')?.targets ?? [];
      events.outcomes([{ target: target.number, counts, failedInRow: 3 }]);
    },
  });
  const edge = await edgeOn(control, ending, { engines: { node: telling } });
  await revision;
  await eventually(() => assert.ok(ending.listeners.has('rule-0')));
  await edge.stop(0);
  const told: TargetState[] = [];
  const next = { ...fakeEngine('node'), states: async (changes: readonly TargetState[]) => void told.push(...changes) };
  await using again = await edgeOn(control, next);
  await again.ready;
  assert.deepEqual(
    told.map(({ state }) => state),
    ['down'],
  );
});
