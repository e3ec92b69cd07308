/** The control end of the link as an edge meets it over its socket: what it sends, refuses, and survives. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { CheckFact } from '../../src/domain/fact/health.ts';
import type { Frame, VerdictsFrame } from '../../src/link/contract.ts';
import { decodeFrame } from '../../src/link/frames.ts';
import { createLineSplitter } from '../../src/link/lines.ts';
import type { Store, WatchEvent } from '../../src/store/store.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { ManualClock } from '../world/manual-clock.ts';
import { healthReport } from '../world/quiet-health.ts';
import { type ControlEnd, controlEnd, watchedThrough } from './control-end.ts';

const WATCH = '/link/v1/watch?edge=e1&site=paris&version=1';

interface Reader extends Disposable {
  readonly frames: Frame[];
  readonly isOver: boolean;
  status(): number | undefined;
  pause(): void;
}

function read(control: ControlEnd, path: string): Reader {
  const frames: Frame[] = [];
  const splitter = createLineSplitter(1 << 26);
  let status: number | undefined;
  let isOver = false;
  let pause = (): void => {};
  const outgoing = request({ socketPath: control.socket, path, agent: false }, (response) => {
    status = response.statusCode;
    pause = () => void response.pause();
    response.on('data', (chunk: Buffer) => {
      for (const line of splitter.push(chunk) ?? []) {
        const frame = decodeFrame(line);
        assert.ok(!('bad' in frame));
        frames.push(frame);
      }
    });
    response.on('error', () => {}).on('close', () => (isOver = true));
  });
  outgoing.on('error', () => (isOver = true)).end();
  return {
    frames,
    get isOver() {
      return isOver;
    },
    status: () => status,
    pause: () => pause(),
    [Symbol.dispose]: () => void outgoing.destroy(),
  };
}

async function post(control: ControlEnd, path: string, body: string, method = 'POST'): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: control.socket, path, method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on('error', reject).end(body);
  });
}

function ack(world: string, applied: number, more: object = {}): string {
  const report = { edge: 'e1', site: 'paris', version: '1', world, applied, failed: [], placed: [] };
  return JSON.stringify({ ...report, fresh: true, engines: [], alarms: [], ...more });
}

test('keys, policies and accounts never leave', async () => {
  await using control = await controlEnd();
  await control.put({ 'key/AKID1': { secretKey: 'secret' }, 'zone/z': { id: 'z' }, 'account/a': { id: 'a' } });
  using stream = read(control, `${WATCH}&from=0`);
  await eventually(() => assert.equal(stream.frames.length, 2));
  await control.put({ 'policy/a/p': {}, 'proxy/z/p': { id: 'sid-1' }, 'key/AKID2': { secretKey: 'secret' } });
  await control.put({ 'edge/e1': { id: 'e1' } });
  await eventually(() => assert.equal(stream.frames.length, 4));
  assert.deepEqual(stream.frames, [
    { kind: 'hello', link: 1, version: 'test', world: control.store.world },
    { kind: 'snapshot', revision: 1, records: [{ key: 'zone/z', value: { id: 'z' }, revision: 1 }], done: true },
    { kind: 'batch', revision: 2, changes: [{ key: 'proxy/z/p', value: { id: 'sid-1' }, revision: 2 }] },
    { kind: 'batch', revision: 3, changes: [] },
  ]);
});

test('goes on from the edge’s revision, but not for an edge of another world', async () => {
  await using control = await controlEnd();
  for (let n = 1; n <= 3; n++) await control.put({ 'zone/z': { n } });
  using resumed = read(control, `${WATCH}&from=2&world=${control.store.world}`);
  using stranger = read(control, `/link/v1/watch?edge=e2&site=paris&version=1&from=2&world=other`);
  await eventually(() => assert.deepEqual([resumed.frames.length, stranger.frames.length], [2, 2]));
  assert.deepEqual([resumed.frames[1]?.kind, stranger.frames[1]?.kind], ['batch', 'snapshot']);
});

test('beats with revision and digest while nothing happens', async () => {
  const clock = new ManualClock();
  await using control = await controlEnd({ clock });
  await control.put({ 'zone/z': { id: 'z' } });
  using stream = read(control, `${WATCH}&from=0`);
  await eventually(() => assert.equal(stream.frames.length, 2));
  await clock.advance(2_000);
  await eventually(() => assert.equal(stream.frames.length, 3));
  const beat = stream.frames[2];
  assert.ok(beat?.kind === 'beat' && beat.revision === 1 && (beat.digest ?? 0) > 0);
});

test('an edge that stops reading is sent no more than the wire holds, and is cut', async () => {
  const clock = new ManualClock();
  let taken = 0;
  async function* counted(events: AsyncIterable<WatchEvent>) {
    for await (const event of events) {
      taken += 1;
      yield event;
    }
  }
  const through = (store: Store): Store => watchedThrough(store, (events, n) => (n === 0 ? events : counted(events)));
  await using control = await controlEnd({ clock, through });
  using stream = read(control, `${WATCH}&from=0`);
  await eventually(() => assert.equal(stream.frames.length, 2));
  stream.pause();
  const revisions = 40;
  for (let n = 0; n < revisions; n++) await control.put({ 'zone/z': { n, pad: 'x'.repeat(500_000) } });
  await clock.advance(2_000);
  assert.ok(taken > 1 && taken < 10, `${taken} of ${revisions} revisions went to a reader that reads none`);
  await eventually(async () => {
    await clock.advance(10_001);
    assert.equal(control.acks.edges()[0]?.alive, false);
  });
});

test('an edge that connects again takes the place of its earlier stream', async () => {
  await using control = await controlEnd();
  using first = read(control, `${WATCH}&from=0`);
  await eventually(() => assert.equal(first.frames.length, 2));
  using second = read(control, `${WATCH}&from=0`);
  await eventually(() => assert.ok(first.isOver));
  await control.put({ 'zone/z': {} });
  await eventually(() => assert.equal(second.frames.at(-1)?.kind, 'batch'));
  assert.equal(control.acks.edges().length, 1);
});

test('an edge is alive while it says so: with a stream that stays open it is not', async () => {
  const clock = new ManualClock();
  await using control = await controlEnd({ clock });
  using stream = read(control, `${WATCH}&from=0`);
  await eventually(() => assert.equal(stream.frames.length, 2));
  const beat = JSON.stringify({ edge: 'e1', site: 'paris', version: '1' });
  await clock.advance(5_000);
  assert.equal(await post(control, '/link/v1/beat', beat), 204);
  await clock.advance(6_000);
  assert.equal(control.acks.presence.isAlive('e1'), true);
  await clock.advance(1);
  assert.deepEqual([control.acks.presence.isAlive('e1'), stream.isOver], [false, false]);
  assert.equal(await post(control, '/link/v1/ack', ack('other', 1)), 409);
  assert.equal(control.acks.presence.isAlive('e1'), true);
});

test('acks of this world count, others don’t', async () => {
  await using control = await controlEnd();
  const { world } = control.store;
  await control.put({ 'site/paris': { id: 'paris', areas: ['overseas'] } });
  assert.equal(await post(control, '/link/v1/ack', ack('other', 1)), 409);
  assert.equal(await post(control, '/link/v1/ack', ack(world, 2)), 409);
  assert.equal(control.acks.applied('overseas'), 0);
  const failed = [{ id: 'rule-1', reason: 'in use' }];
  assert.equal(await post(control, '/link/v1/ack', ack(world, 1, { failed })), 204);
  await eventually(() => assert.equal(control.acks.applied('overseas'), 1));
  assert.deepEqual([control.acks.applied('mainland'), control.acks.applied('global')], [0, 1]);
  assert.deepEqual(control.acks.failures('rule-1'), ['e1: in use']);
});

test('what it can’t read is refused and changes nothing', async () => {
  await using control = await controlEnd();
  const watched = async (query: string) => {
    using stream = read(control, `/link/v1/watch?${query}`);
    await eventually(() => assert.ok(stream.status()));
    return stream.status();
  };
  assert.equal(await watched('edge=e1&site=paris'), 400);
  assert.equal(await watched('edge=e1&site=paris&from=-1'), 400);
  assert.equal(await watched('edge=../e1&site=paris&from=0'), 400);
  assert.equal(await watched('site=paris&from=0'), 400);
  assert.equal(await post(control, '/link/v1/ack', 'x'), 400);
  assert.equal(await post(control, '/link/v1/facts', '{}'), 400);
  assert.equal(await post(control, '/link/v1/health', '{}'), 400);
  assert.equal(await post(control, '/link/v1/health', ' '.repeat(1_100_000)), 413);
  assert.equal(await post(control, '/link/v1/beat', '{}'), 400);
  assert.equal(await post(control, '/link/v1/beat', ' '.repeat(5_000)), 413);
  assert.equal(await post(control, '/link/v1/ack', '', 'PUT'), 405);
  assert.equal(await post(control, '/link/v2/ack', ''), 404);
  assert.deepEqual(control.acks.edges(), []);
});

/** What the edge's probes find of checks. */
function health(edge: string, site: string, found: Readonly<Record<string, CheckFact['verdict']>>): string {
  const checks = Object.entries(found).map(([host, verdict]): CheckFact => ({
    owner: 'lb',
    group: 'og',
    host,
    address: host,
    check: 'k',
    verdict,
    reason: '',
  }));
  return JSON.stringify(healthReport(edge, site, { checks }));
}

const verdictsIn = ({ frames }: Reader): VerdictsFrame[] =>
  frames.flatMap((frame) => (frame.kind === 'verdicts' ? frame : []));

test('verdicts reach the edges that take them: all on a new stream, then what changes, by site and of all sites', async () => {
  await using control = await controlEnd();
  await control.put({ 'zone/z': { id: 'z' } });
  const watch = (edge: string, site: string, more = '&takes=verdicts') =>
    read(control, `/link/v1/watch?edge=${edge}&site=${site}&version=1&from=0${more}`);
  const tell = async (...said: Parameters<typeof health>) =>
    assert.equal(await post(control, '/link/v1/health', health(...said)), 204);
  using paris = watch('e1', 'paris');
  await eventually(() => assert.deepEqual(verdictsIn(paris)[0]?.edges, ['e1']));
  assert.deepEqual(verdictsIn(paris)[0], { kind: 'verdicts', sequence: 1, whole: true, edges: ['e1'], checks: [] });
  await tell('e1', 'paris', { a: 'unhealthy', b: 'healthy' });
  using lima = watch('e2', 'lima');
  using older = watch('e3', 'lima', '');
  const last = (reader: Reader) => {
    const words = new Map(verdictsIn(reader).flatMap(({ checks }) => checks.map((one) => [one.check, one])));
    return Object.fromEntries([...words].map(([check, { verdict, by }]) => [check, `${verdict} ${by}`]));
  };
  await eventually(() => assert.deepEqual(last(lima), { 'a k': 'unhealthy fleet', 'b k': 'healthy fleet' }));
  await eventually(() => assert.deepEqual(last(paris), { 'a k': 'unhealthy site', 'b k': 'healthy site' }));
  await eventually(() => assert.deepEqual(verdictsIn(lima).at(-1)?.edges, ['e2', 'e3']));
  const told = performance.now();
  await tell('e2', 'lima', { a: 'unhealthy', b: 'unhealthy' });
  const both = () => [last(paris)['a k'], last(paris)['b k'], last(lima)['b k']];
  await eventually(() => assert.deepEqual(both(), ['unhealthy fleet', 'healthy site', 'unhealthy site']));
  assert.ok(performance.now() - told < 1_000);
  assert.deepEqual(verdictsIn(paris).filter(({ whole }) => whole).length, 1);
  const sequences = [paris, lima].flatMap((reader) => verdictsIn(reader).map(({ sequence }) => sequence));
  assert.equal(new Set(sequences).size, sequences.length);
  assert.deepEqual(
    older.frames.map(({ kind }) => kind).filter((kind) => kind === 'verdicts'),
    [],
  );
});

test('an edge that is silent shares no probes, and its words count for nothing', async () => {
  const clock = new ManualClock();
  await using control = await controlEnd({ clock });
  await control.put({ 'zone/z': { id: 'z' } });
  const watch = (edge: string) =>
    read(control, `/link/v1/watch?edge=${edge}&site=paris&version=1&from=0&takes=verdicts`);
  using one = watch('e1');
  using two = watch('e2');
  await eventually(async () => {
    await clock.advance(100);
    assert.deepEqual(verdictsIn(one).at(-1)?.edges, ['e1', 'e2']);
    assert.ok(verdictsIn(two).length > 0);
  });
  assert.equal(await post(control, '/link/v1/health', health('e2', 'paris', { a: 'unhealthy' })), 204);
  const word = () =>
    verdictsIn(one)
      .flatMap(({ checks }) => checks)
      .at(-1);
  await eventually(async () => {
    await clock.advance(100);
    assert.deepEqual(word(), { check: 'a k', verdict: 'unhealthy', by: 'site' });
  });
  for (let passed = 0; passed < 8_000; passed += 500) {
    await clock.advance(500);
    control.acks.heard({ edge: 'e1', site: 'paris', version: '1' });
  }
  await eventually(() => {
    assert.deepEqual(verdictsIn(one).at(-1)?.edges, ['e1']);
    assert.equal(word()?.verdict, 'unknown');
  });
});

test('ten thousand verdicts go in frames of bounded size', async () => {
  await using control = await controlEnd();
  await control.put({ 'zone/z': { id: 'z' } });
  for (let part = 0; part < 5; part++) {
    const found = Array.from({ length: 2_000 }, (_, n) => [`10.${part}.${n >> 8}.${n & 255}`, 'healthy'] as const);
    assert.equal(await post(control, '/link/v1/health', health('e9', 'paris', Object.fromEntries(found))), 204);
  }
  assert.equal(await post(control, '/link/v1/beat', JSON.stringify({ edge: 'e9', site: 'paris', version: '1' })), 204);
  control.facts.verdicts.look();
  using stream = read(control, `${WATCH}&from=0&takes=verdicts`);
  await eventually(() => assert.ok(verdictsIn(stream).length >= 5));
  const checks = verdictsIn(stream).flatMap((frame) => frame.checks.map(({ check }) => check));
  assert.equal(new Set(checks).size, 10_000);
  assert.ok(verdictsIn(stream).every((frame) => JSON.stringify(frame).length < 300_000));
  assert.deepEqual(
    verdictsIn(stream)
      .map(({ whole }) => whole)
      .slice(0, 3),
    [true, false, false],
  );
});
