/** The listener with a pretended API behind it: what reaches the pipeline, what is bounded, what is answered here. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { RawRequest } from '../api/call.ts';
import { Usage } from '../config/usage.ts';
import { systemClock as clock } from '../lib/clock.ts';
import { type HttpDoors, startHttp } from './http.ts';

const LIMIT = 1_000;
const PAGE = { status: 200, headers: { 'Content-Type': 'text/html' }, body: 'console' };

async function listener(t: TestContext, doors?: Promise<HttpDoors>) {
  const calls: RawRequest[] = [];
  const own: HttpDoors = {
    call(raw) {
      calls.push(raw);
      return Promise.resolve({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"ü":1}' });
    },
    metrics: () => Promise.resolve('a 1\n'),
    ready: () => ({ isReady: true, text: 'ready\n' }),
    console: () => Promise.resolve(PAGE),
  };
  const options = { listen: { host: '127.0.0.1', port: 0 }, setting: 'listen', bodyLimit: LIMIT, clock };
  const server = await startHttp(options, doors ?? Promise.resolve(own));
  t.after(() => server.stop());
  return { server, calls, own };
}

/** Bytes there, all bytes back. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

test('a call reaches the pipeline as it was sent, and the reply’s bytes go back with exactly its headers', async (t) => {
  const { server, calls } = await listener(t);
  const body = '{"a": "ü"}';
  const reply = await fetch(`${server.origin}/?x=%20y`, { method: 'POST', body, headers: { 'X-TC-Action': 'A' } });
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(await reply.text(), '{"ü":1}');
  const [call] = calls;
  assert.deepEqual(
    [call?.method, call?.url, call?.headers['x-tc-action'], call?.peer],
    ['POST', '/?x=%20y', 'A', '127.0.0.1'],
  );
  assert.equal(Buffer.from(call?.body ?? []).toString(), body);
});

test('wire: a Host with a scheme in it, as tccli sends, is taken', async (t) => {
  const { server, calls } = await listener(t);
  const head = 'POST / HTTP/1.1\r\nHost: http://127.0.0.1:7400\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}';
  assert.match(await raw(server.address.port, head), /^HTTP\/1\.1 200 OK/);
  assert.equal(calls[0]?.headers['host'], 'http://127.0.0.1:7400');
});

test('a body over the limit reaches the pipeline one byte too long, and its sender the answer', async (t) => {
  const { server, calls } = await listener(t);
  const reply = await fetch(server.origin, { method: 'POST', body: Buffer.alloc(LIMIT * 3) });
  assert.equal(reply.status, 200);
  assert.equal(calls[0]?.body.length, LIMIT + 1);
});

test('a body that never ends is answered all the same', async (t) => {
  const { server, calls } = await listener(t);
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = `${LIMIT.toString(16)}\r\n${'x'.repeat(LIMIT)}\r\n`;
  assert.match(await raw(server.address.port, head + chunk.repeat(6)), /^HTTP\/1\.1 200 OK/);
  assert.equal(calls[0]?.body.length, LIMIT + 1);
});

test('other methods are the pipeline’s to refuse; other paths are not the API', async (t) => {
  const { server, calls } = await listener(t);
  await fetch(server.origin, { method: 'DELETE' });
  assert.equal(calls[0]?.method, 'DELETE');
  assert.equal((await fetch(`${server.origin}/other`)).status, 404);
  assert.equal(calls.length, 1);
});

test('a browser at the API’s address is shown the console, a client is not', async (t) => {
  const { server, calls } = await listener(t);
  const shown = await fetch(server.origin, { headers: { Accept: 'text/html' } });
  assert.equal(await shown.text(), 'console');
  await fetch(`${server.origin}/?Action=A`, { headers: { Accept: 'text/html' } });
  assert.equal(calls.length, 1);
});

test('health answers at once, readiness when there is something behind, and calls wait for it', async (t) => {
  const doors = Promise.withResolvers<HttpDoors>();
  const { server, own } = await listener(t, doors.promise);
  assert.equal((await fetch(`${server.origin}/healthz`)).status, 200);
  assert.equal((await fetch(`${server.origin}/readyz`)).status, 503);
  const waiting = fetch(server.origin, { method: 'POST', body: '{}' });
  doors.resolve(own);
  assert.equal((await waiting).status, 200);
  assert.equal((await fetch(`${server.origin}/readyz`)).status, 200);
  assert.equal(await (await fetch(`${server.origin}/metrics`)).text(), 'a 1\n');
});

test('a taken port and a foreign address are refused in a line that names the setting', async (t) => {
  const { server } = await listener(t);
  const never = Promise.reject<HttpDoors>(new Error('nothing'));
  never.catch(() => {});
  const at = (host: string, port: number) =>
    startHttp({ listen: { host, port }, setting: 'listen', bodyLimit: LIMIT, clock }, never);
  const usage = (pattern: RegExp) => (error: unknown) => error instanceof Usage && pattern.test(error.message);
  await assert.rejects(at('127.0.0.1', server.address.port), usage(/is taken by another program.*--listen/));
  await assert.rejects(at('192.0.2.1', 0), usage(/192\.0\.2\.1 is no address of this machine; .*--listen/));
});

test('stop answers what is under way', async (t) => {
  const { server, own } = await listener(t);
  const entered = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  own.call = async () => {
    entered.resolve();
    await gate.promise;
    return { status: 200, headers: {}, body: 'late' };
  };
  const reply = fetch(server.origin, { method: 'POST', body: '{}' });
  await entered.promise;
  const stopped = server.stop();
  gate.resolve();
  assert.equal(await (await reply).text(), 'late');
  await stopped;
  await assert.rejects(fetch(server.origin));
});

test('who has connected before it retires is answered before it stops, though he says nothing at first', async (t) => {
  const { server } = await listener(t);
  const socket = connect(server.address.port, '127.0.0.1');
  await once(socket, 'connect');
  // Connections are accepted in order, so when this one is answered the other has been.
  await (await fetch(`${server.origin}/healthz`)).text();
  const ending = server.retire().then(() => server.stop());
  await clock.sleep(400);
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  assert.match(answer, /^HTTP\/1\.1 200 OK[^]*Connection: close[^]*ok\n$/);
  await ending;
});
