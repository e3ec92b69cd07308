import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listener } from '../../../test/suites/engine/listener.ts';
import { WorkerCalls } from './worker-calls.ts';
import type { Call } from './forward.ts';
import type { NumberedCall } from './worker-messages.ts';

const apply = (id: string): Call => ({ method: 'apply', args: [listener({ id })] });
const OK = { ok: true } as const;

/** Calls with a thread that the test plays. */
function desk() {
  const restored: [string, boolean][] = [];
  const calls = new WorkerCalls((id, { ok }) => restored.push([id, ok]));
  let inbox: NumberedCall[] = [];
  return {
    calls,
    restored,
    connect: () => calls.connect((call) => inbox.push(call)),
    /** What the thread has been sent since the last look. */
    got: () => inbox.map(({ call }) => (call.method === 'apply' ? call.args[0].id : call.method)),
    answer: (value: unknown = OK): void => {
      const [first, ...rest] = inbox;
      inbox = rest;
      assert.ok(first, 'nothing to answer');
      calls.answer(first.number, value);
    },
    die: (): string[] => {
      inbox = [];
      return calls.disconnect();
    },
  };
}

test('with a healthy thread calls go at once, side by side', async () => {
  const { calls, connect, got, answer } = desk();
  connect();
  const answers = [calls.post(apply('a')), calls.post({ method: 'counters', args: [] })];
  assert.deepEqual(got(), ['a', 'counters']);
  answer();
  answer('counts');
  assert.deepEqual(await Promise.all(answers), [OK, 'counts']);
});

test('what went wrong in the thread is what the caller gets', async () => {
  const { calls, connect } = desk();
  connect();
  const answer = calls.post({ method: 'counters', args: [] });
  calls.answer(1, undefined, 'broken');
  await assert.rejects(answer, /broken/);
});

test('a new thread gets the listeners of the old one, then what was never answered, one by one', async () => {
  const { calls, restored, connect, got, answer, die } = desk();
  connect();
  for (const id of ['a', 'b', 'gone']) {
    void calls.post(apply(id));
    answer();
  }
  void calls.post({ method: 'remove', args: ['gone'] });
  answer();
  const waiting = [calls.post(apply('c')), calls.post(apply('b'))];
  assert.deepEqual(die(), ['a', 'b', 'c']);
  const later = calls.post({ method: 'counters', args: [] });
  connect();
  const order: string[] = [];
  while (got().length > 0) {
    assert.equal(got().length, 1);
    order.push(...got());
    answer();
  }
  assert.deepEqual(order, ['a', 'c', 'b', 'counters']);
  assert.deepEqual(restored, [['a', true]]);
  await Promise.all([...waiting, later]);
  // Recovered: side by side again.
  void calls.post(apply('x'));
  void calls.post(apply('y'));
  assert.deepEqual(got(), ['x', 'y']);
});

test('the rule that kills the thread is left out, the others are not', async () => {
  const { calls, connect, got, answer, die } = desk();
  connect();
  const answers = ['a', 'poison', 'b'].map((id) => calls.post(apply(id)));
  die();
  connect();
  answer();
  assert.deepEqual(got(), ['poison']);
  assert.deepEqual(die(), ['a', 'b']);
  const [, poison] = answers;
  const verdict = (await poison) as { ok: boolean; reason?: string };
  assert.match(`${verdict.ok} ${verdict.reason}`, /^false .*left out/);
  connect();
  assert.deepEqual(got(), ['a']);
  answer();
  assert.deepEqual(got(), ['b']);
  answer();
  assert.deepEqual(await Promise.all([answers[0], answers[2]]), [OK, OK]);
  // The same again is not even tried; a changed rule is.
  assert.equal(await calls.post(apply('poison')), await poison);
  assert.deepEqual(got(), []);
  void calls.post({ method: 'apply', args: [listener({ id: 'poison', mode: 'PPV2' })] });
  assert.deepEqual(got(), ['poison']);
});

test('a rule that is removed, and comes back the same, is tried again', async () => {
  const { calls, connect, got, die } = desk();
  const poison = calls.post(apply('poison'));
  for (let death = 0; death < 2; death++) {
    connect();
    die();
  }
  const verdict = await poison;
  assert.equal(await calls.post(apply('poison')), verdict);
  connect();
  void calls.post({ method: 'remove', args: ['poison'] });
  void calls.post(apply('poison'));
  assert.deepEqual(got(), ['remove', 'poison']);
});

test('prune is remembered', () => {
  const { calls, connect, answer, die } = desk();
  connect();
  for (const id of ['a', 'b']) {
    void calls.post(apply(id));
    answer();
  }
  void calls.post({ method: 'prune', args: [new Set(['b'])] });
  assert.deepEqual(die(), ['b']);
});

test('after the end everything has an answer', async () => {
  const { calls } = desk();
  const before = calls.post(apply('a'));
  calls.end((call) => `no ${call.method}`);
  assert.deepEqual([await before, await calls.post({ method: 'counters', args: [] })], ['no apply', 'no counters']);
});

test('a new thread is told the states of targets before it gets a listener', async () => {
  const { calls, connect, got, answer, die } = desk();
  connect();
  void calls.post({ method: 'states', args: [[{ target: 1, state: 'down' }]] });
  answer();
  void calls.post(apply('a'));
  answer();
  die();
  connect();
  assert.deepEqual(got(), ['states']);
  answer();
  assert.deepEqual(got(), ['a']);
});
