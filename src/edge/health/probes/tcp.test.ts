import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { HERE, listening, probed, program, say, TIMES, unusedPort } from './peers.fixture.ts';
import { probeTcp } from './tcp.ts';

const tcp = (
  port: number,
  more: { send?: string; expect?: string; proxy?: 'PPV1' | 'PPV2'; timeoutSeconds?: number } = {},
) => probed({ type: 'TCP', port, ...TIMES, ...more });
const soon = { timeoutSeconds: 0.2 };

test('a connection is enough, and ends with a reset, so that no port of ours stays in TIME_WAIT', async (t) => {
  const ended = Promise.withResolvers<string>();
  const port = await listening(t, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ended.resolve(String(error.code)));
    socket.once('end', () => ended.resolve('closed'));
    socket.resume();
  });
  assert.deepEqual(await tcp(port), { verdict: 'healthy', reason: 'it takes connections' });
  assert.equal(await ended.promise, 'ECONNRESET');
});

test('a port that is closed', async () => {
  assert.deepEqual(await tcp(await unusedPort()), { verdict: 'unhealthy', reason: 'connection refused' });
});

test('an expected answer is found over split segments, behind other text, after what is sent', async (t) => {
  const heard = Promise.withResolvers<string>();
  const port = await listening(t, (socket) => {
    socket.on('data', (bytes: Buffer) => {
      heard.resolve(String(bytes));
      void say(socket, 'hello\r\n+', 'PO', 'N', 'G\r\n');
    });
  });
  const result = await tcp(port, { send: 'PING\r\n', expect: '+PONG' });
  assert.deepEqual(result, { verdict: 'healthy', reason: 'it answered "+PONG"' });
  assert.equal(await heard.promise, 'PING\r\n');
});

test('a greeting without anything sent', async (t) => {
  const port = await listening(t, (socket) => void say(socket, 'SSH-', '2.0-x\r\n'));
  assert.equal((await tcp(port, { expect: 'SSH-2.0' })).verdict, 'healthy');
});

test('what is wrong is said in words', async (t) => {
  const cases: readonly (readonly [(socket: Socket) => void, string])[] = [
    [(socket) => socket.end('-NOAUTH\r\n'), 'it closed the connection: "-NOAUTH\\u000d\\n" instead of "+PONG"'],
    [(socket) => socket.end(), 'it closed the connection: no answer; "+PONG" is expected'],
    [(socket) => socket.write('-ERR'), 'within 0.2 s: "-ERR" instead of "+PONG"'],
    [() => {}, 'within 0.2 s: no answer; "+PONG" is expected'],
    [(socket) => socket.resetAndDestroy(), 'connection reset'],
    [(socket) => socket.write('x'.repeat(100_000)), `it said too much: "${'x'.repeat(60)}" instead of "+PONG"`],
  ];
  for (const [answer, reason] of cases) {
    const port = await listening(
      t,
      (socket) =>
        void once(socket, 'data').then(
          () => answer(socket),
          () => {},
        ),
    );
    assert.deepEqual(await tcp(port, { send: 'PING\r\n', expect: '+PONG', ...soon }), { verdict: 'unhealthy', reason });
  }
});

test('a stopped program: a bare connection does not see it, an expected answer does', async (t) => {
  const { port, signal } = await program(t);
  const ping = { send: 'PING\r\n', expect: '+PONG' };
  assert.equal((await tcp(port, ping)).verdict, 'healthy');
  signal('SIGSTOP');
  assert.equal((await tcp(port)).verdict, 'healthy');
  const stopped = await tcp(port, { ...ping, ...soon });
  assert.deepEqual(stopped, { verdict: 'unhealthy', reason: 'within 0.2 s: no answer; "+PONG" is expected' });
  signal('SIGCONT');
  assert.equal((await tcp(port, ping)).verdict, 'healthy');
});

test('where origins ask for PROXY, the probe says that no client is behind it', async (t) => {
  const headers = {
    PPV1: Buffer.from('PROXY UNKNOWN\r\n'),
    PPV2: Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
  };
  for (const proxy of ['PPV1', 'PPV2'] as const) {
    const heard = Promise.withResolvers<Buffer>();
    const port = await listening(t, (socket) => {
      socket.once('data', (bytes: Buffer) => heard.resolve(bytes));
      socket.write('220 mail');
    });
    assert.equal((await tcp(port, { proxy, expect: '220' })).verdict, 'healthy');
    assert.deepEqual(await heard.promise, headers[proxy]);
  }
});

test('a machine that is busy past the time-out still hears an answer that came in time', async (t) => {
  const { port } = await program(t);
  const result = tcp(port, { send: 'PING\r\n', expect: '+PONG', timeoutSeconds: 2 });
  for (const end = performance.now() + 2_500; performance.now() < end;);
  assert.equal((await result).verdict, 'healthy');
});

test('a probe that gives up just as the system connects it ends with a reset too', async (t) => {
  const ended = Promise.withResolvers<string>();
  const port = await listening(t, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ended.resolve(String(error.code)));
    socket.once('end', () => ended.resolve('closed')).resume();
  });
  // Its short waits are over before the system's news is heard.
  const hasty: Clock = {
    ...systemClock,
    after(ms, run) {
      if (ms >= 500) return systemClock.after(ms, run);
      queueMicrotask(run);
      return { cancel() {} };
    },
  };
  const checker = { type: 'TCP', port, ...TIMES, ...soon } as const;
  assert.deepEqual(await probeTcp(HERE, checker, hasty), {
    verdict: 'unhealthy',
    reason: 'no connection within 0.2 s',
  });
  assert.equal(await ended.promise, 'ECONNRESET');
});

test('T17: an expected answer is found wherever it is cut, in pieces of any size, and at the port that is asked', async (t) => {
  const answer = 'OK 1\r\n+PONG\r\nOK 2\r\n';
  let pieces: readonly string[] = [];
  const speaking = await listening(t, (socket) => void socket.once('data', () => void say(socket, ...pieces)));
  const other = await listening(t, (socket) => void socket.once('data', () => void say(socket, '+PANG', '\r\n')));
  const ping = { send: 'PING\r\n', expect: '+PONG' };
  for (let at = 1; at < answer.length; at++) {
    pieces = [answer.slice(0, at), answer.slice(at)];
    assert.equal((await tcp(speaking, ping)).verdict, 'healthy', `cut at ${at}`);
  }
  for (let size = 1; size <= answer.length; size++) {
    pieces = answer.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    assert.equal((await tcp(speaking, ping)).verdict, 'healthy', `in pieces of ${size}`);
  }
  // What comes close is not it.
  assert.equal((await tcp(other, { ...ping, ...soon })).verdict, 'unhealthy');
  pieces = ['+PON', '\r\nG'];
  assert.equal((await tcp(speaking, { ...ping, ...soon })).verdict, 'unhealthy');
});
