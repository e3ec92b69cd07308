import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, probed, TIMES, unusedPort } from './peers.fixture.ts';

const udp = (port: number, expect?: string) =>
  probed({ type: 'UDP', port, send: 'status', expect, ...TIMES, timeoutSeconds: 0.2 });

test('the expected answer, over two datagrams too', async (t) => {
  assert.deepEqual(await udp(await answering(t, 'OK 1'), 'OK'), { verdict: 'healthy', reason: 'it answered "OK"' });
  assert.equal((await udp(await answering(t, 'O', 'K'), 'OK')).verdict, 'healthy');
});

test('another answer, and none', async (t) => {
  const other = await udp(await answering(t, 'NO'), 'OK');
  assert.deepEqual(other, { verdict: 'unhealthy', reason: 'within 0.2 s: "NO" instead of "OK"' });
  const none = await udp(await answering(t), 'OK');
  assert.deepEqual(none, { verdict: 'unhealthy', reason: 'within 0.2 s: no answer; "OK" is expected' });
  const long = await udp(await answering(t, 'x'.repeat(20_000)), 'OK');
  assert.match(long.reason, /^it said too much: "x{60}" instead of "OK"$/);
});

test('where no answer is expected: any is good, silence is unknown, an unreachable port is not', async (t) => {
  assert.deepEqual(await udp(await answering(t, '')), { verdict: 'healthy', reason: 'it answered' });
  const silent = await udp(await answering(t));
  assert.equal(silent.verdict, 'unknown');
  assert.match(silent.reason, /RecvContext/);
  assert.deepEqual(await udp(await unusedPort()), { verdict: 'unhealthy', reason: 'port unreachable' });
});

test('T17: an expected answer is found over datagrams, wherever it is cut', async (t) => {
  const answer = 'OK 1 +PONG OK 2';
  for (let at = 1; at < answer.length; at++) {
    const port = await answering(t, answer.slice(0, at), answer.slice(at));
    assert.equal((await udp(port, '+PONG')).verdict, 'healthy', `cut at ${at}`);
  }
});
