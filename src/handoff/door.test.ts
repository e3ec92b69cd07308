import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { ask, hostileDoor, tell, witness } from './hostile.fixture.ts';

const options = { skip: process.platform !== 'linux' && 'descriptors travel on Linux only' };

test('a process that asks in order is answered, and then has everything', options, async () => {
  await using door = await witness();
  const answers = await tell(door.path, [ask('take'), ask('sessions'), ask('serving')]);
  assert.deepEqual(answers, [{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }]);
  assert.deepEqual(door.seen, ['rest', 'handOver', 'pause', 'gone']);
});

test('one that goes before it serves changes nothing', options, async () => {
  await using door = await witness();
  await tell(door.path, [ask('take')]);
  await tell(door.path, [ask('take'), ask('sessions')]);
  assert.deepEqual(door.seen, ['rest', 'resume', 'rest', 'handOver', 'resume']);
});

test('what is no word, or not in its place, is refused with a reason', options, async () => {
  await using door = await witness();
  const other = /hands over in another way than this version/;
  for (const [said, reason] of [
    [[Buffer.from('GET / HTTP/1.1\r\n\r\n')], other],
    [[Buffer.from('{"ask":"give","protocol":1,"version":"1"}\n')], other],
    [[ask('take', { protocol: 2 })], other],
    [[Buffer.alloc(70_000, 'x')], other],
    [[ask('serving')], /asked to pause at the wrong time/],
    [[ask('sessions')], /asked to handOver at the wrong time/],
  ] as const) {
    const [answer, ...more] = await tell(door.path, said);
    assert.deepEqual([answer?.kind, more], ['refused', []]);
    assert.match(answer?.kind === 'refused' ? answer.reason : '', reason);
  }
  assert.deepEqual(door.seen, []);
  const answers = await tell(door.path, [ask('take'), ask('take')]);
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ['done', 'refused'],
  );
  assert.deepEqual(door.seen, ['rest', 'resume']);
});

test('one that cannot hand over says why, and goes on', options, async () => {
  await using door = await witness(() => Promise.reject(new Error('the disk is full')));
  assert.deepEqual(await tell(door.path, [ask('take')]), [{ kind: 'refused', reason: 'the disk is full' }]);
  assert.deepEqual(door.seen, ['rest', 'resume']);
});

test('one at a time', options, async () => {
  await using door = await witness();
  const first = connect(door.path);
  first.write(ask('take'));
  await once(first, 'data');
  first.resume();
  assert.deepEqual(await tell(door.path, [ask('take')]), [{ kind: 'refused', reason: 'another upgrade is under way' }]);
  first.write(ask('serving'));
  await once(first, 'end');
  assert.deepEqual(door.seen, ['rest', 'pause', 'gone']);
});

test('whatever comes, in whatever pieces, only `take` and `serving` make it let go', options, () => hostileDoor(30));

test('of one that is silent it is said which process it is, and what to do', options, async (t) => {
  const { findPredecessor } = await import('./predecessor.ts');
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-door-'));
  const server = createServer().listen(join(folder, 'door'));
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const predecessor = findPredecessor(join(folder, 'door'), '1', systemClock);
  assert.ok(predecessor);
  const { pid } = process;
  await assert.rejects(predecessor.ask('rest', 20), {
    message: `process ${pid} of the running EdgeFour does not answer, it may be stopped. Let it go on (kill -CONT ${pid}), or end it (kill -KILL ${pid}), and try again`,
  });
  predecessor.close();
});
