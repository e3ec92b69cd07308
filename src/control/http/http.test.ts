/** The listener with a pretended API behind it: what reaches the pipeline, what is bounded, what is answered here. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { RawRequest } from '../../api/call.ts';
import { OverBudget } from '../../api/over-budget.ts';
import { type BudgetName, BUDGETS } from '../../config/budgets.ts';
import { Usage } from '../../config/usage.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { HttpDoors } from './exchanges.ts';
import { startHttp } from './http.ts';

/** What a call that signs by parameters may have. */
const LIMIT = 1024 * 1024;
const PAGE = { status: 200, headers: { 'Content-Type': 'text/html' }, body: 'console' };

async function listener(t: TestContext, doors?: Promise<HttpDoors>) {
  const calls: RawRequest[] = [];
  const budgets: BudgetName[] = [];
  const own: HttpDoors = {
    call(raw) {
      calls.push(raw);
      return Promise.resolve({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"ü":1}' });
    },
    foresee: () => Promise.resolve(undefined),
    refuse(raw, fault) {
      if (fault instanceof OverBudget) budgets.push(fault.budget);
      const language = String(raw.headers['x-tc-language'] ?? 'none');
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: `{"${fault.code}":"${language}"}` };
    },
    metrics: () => Promise.resolve('a 1\n'),
    ready: () => ({ isReady: true, text: 'ready\n' }),
    console: () => Promise.resolve(PAGE),
  };
  const refused = (budget: BudgetName) => void budgets.push(budget);
  const options = { listen: { host: '127.0.0.1', port: 0 }, setting: 'listen', refused, clock };
  const server = await startHttp(options, doors ?? Promise.resolve(own));
  t.after(() => server.stop());
  return { server, calls, own, budgets };
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

test('of a body over the limit the pipeline gets the length, and its sender the answer', async (t) => {
  const { server, calls } = await listener(t);
  const reply = await fetch(server.origin, { method: 'POST', body: Buffer.alloc(LIMIT * 3) });
  assert.equal(reply.status, 200);
  assert.deepEqual([calls[0]?.body.length, calls[0]?.bodyLength], [0, LIMIT * 3]);
});

test('a body that never ends is answered all the same', async (t) => {
  const { server, calls } = await listener(t);
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  const socket = connect(server.address.port, '127.0.0.1');
  socket.write(head + chunk.repeat(17));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(String(answer), /^HTTP\/1\.1 200 OK/);
  assert.ok((calls[0]?.bodyLength ?? 0) > LIMIT);
  socket.destroy();
});

test('A2: a big body whose head is refused is not taken; one that waits to be told sends nothing', async (t) => {
  const { server, calls, own } = await listener(t);
  const asked: (number | undefined)[] = [];
  own.foresee = ({ bodyLength }) => {
    asked.push(bodyLength);
    return Promise.resolve({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '"refused"' });
  };
  const headers = { authorization: 'x' };
  const reply = await fetch(server.origin, { method: 'POST', body: Buffer.alloc(9 * LIMIT), headers });
  assert.equal(await reply.text(), '"refused"');
  const head = 'POST / HTTP/1.1\r\nAuthorization: x\r\nExpect: 100-continue\r\nContent-Length: 900000\r\n\r\n';
  const socket = connect(server.address.port, '127.0.0.1');
  socket.write(head);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(String(answer), /^HTTP\/1\.1 200 OK[^]*Connection: close[^]*"refused"$/);
  socket.destroy();
  assert.deepEqual(asked, [9 * LIMIT, 900_000]);
  // A small one is taken, so that what is wrong with it is told in the wire's order.
  assert.equal((await fetch(server.origin, { method: 'POST', body: Buffer.alloc(65_536), headers })).status, 200);
  assert.equal(calls.length, 1);
});

test('a client that waits to be told is told, and one that expects something else is answered', async (t) => {
  const { server, calls } = await listener(t);
  const socket = connect(server.address.port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  const [told] = (await once(socket, 'data')) as [Buffer];
  assert.match(String(told), /^HTTP\/1\.1 100 Continue/);
  socket.write('{}');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(String(answer), /^HTTP\/1\.1 200 OK/);
  socket.destroy();
  const odd = 'POST / HTTP/1.1\r\nExpect: miracles\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}';
  assert.match(await raw(server.address.port, odd), /^HTTP\/1\.1 200 OK/);
  assert.equal(calls.length, 2);
});

test('any other path and method is the API’s; a page is only read', async (t) => {
  const { server, calls } = await listener(t);
  await fetch(server.origin, { method: 'DELETE' });
  for (const path of ['//', '/other', '/console/x', '/?a', '/healthz/']) await fetch(`${server.origin}${path}`);
  assert.deepEqual(
    calls.map(({ method, url }) => `${method} ${url}`),
    ['DELETE /', 'GET //', 'GET /other', 'GET /console/x', 'GET /?a', 'GET /healthz/'],
  );
  const posted = await fetch(`${server.origin}/healthz`, { method: 'POST', body: 'x' });
  assert.deepEqual(
    [posted.status, posted.headers.get('allow'), await posted.text()],
    [405, 'GET, HEAD', '{"UnsupportedProtocol":"none"}'],
  );
});

test('D8: what node refuses is the cloud’s JSON with status 200, in the language asked for', async (t) => {
  const { server, calls, budgets } = await listener(t);
  const refused: [code: string, sent: string][] = [
    ['RequestSizeLimitExceeded":"zh-CN', `GET /?a=${'x'.repeat(70_000)} HTTP/1.1\r\nX-TC-Language: zh-CN\r\n\r\n`],
    ['RequestSizeLimitExceeded":"none', `GET / HTTP/1.1\r\nA: ${'x'.repeat(200_000)}\r\n\r\n`],
    ['UnsupportedProtocol":"none', 'BREW / HTTP/1.1\r\n\r\n'],
    ['UnsupportedProtocol":"none', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['InvalidRequest":"none', 'GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['InvalidRequest":"none', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['InvalidRequest":"zh-CN', 'GET / HTTP/1.1\r\nX-TC-Language: zh-CN\r\nbad header\r\n\r\n'],
    [
      'RequestSizeLimitExceeded":"none',
      `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
    ],
  ];
  for (const [code, sent] of refused) {
    const answer = await raw(server.address.port, sent);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/json\r\n/, sent.slice(0, 60));
    assert.ok(answer.endsWith(`\r\n\r\n{"${code}"}`), answer);
  }
  assert.deepEqual(budgets, ['header-bytes', 'header-bytes']);
  assert.equal(calls.length, 0);
  assert.match(await raw(server.address.port, 'GET /x HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200/);
});

test('64 calls in a row without waiting are answered, the next is refused and the connection ends', async (t) => {
  const { server, calls, budgets } = await listener(t);
  const answer = await raw(server.address.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(500));
  assert.equal(answer.match(/HTTP\/1\.1 200 OK/g)?.length, 65);
  assert.ok(answer.endsWith('{"RequestLimitExceeded":"none"}'));
  assert.equal(calls.length, 64);
  assert.deepEqual(budgets, ['pipelined-calls']);
});

test('A14: the pages are for whoever asks by address or by a name of this server', async (t) => {
  const { server, own } = await listener(t);
  const status = async (host: string, path: string): Promise<string | undefined> =>
    /^HTTP\/1\.1 (\d+)/.exec(
      await raw(server.address.port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    )?.[1];
  for (const path of ['/console', '/metrics']) {
    for (const host of [
      '127.0.0.1:7400',
      'localhost',
      'LOCALHOST:1',
      'me.localhost.',
      '[::1]:7400',
      '192.0.2.7',
      '[fd00::1]',
    ])
      assert.equal(await status(host, path), '200', host);
    for (const host of [
      'evil.example',
      'evil.example:7400',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      'x',
      '',
    ])
      assert.equal(await status(host, path), '403', host);
  }
  assert.equal(await status('evil.example', '/healthz'), '200');
  assert.equal(await status('evil.example', '/?Action=A'), '200');
  own.metrics = () => Promise.resolve(undefined);
  assert.equal(await status('localhost', '/metrics'), '404');
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
    startHttp({ listen: { host, port }, setting: 'listen', refused() {}, clock }, never);
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

test('A2: bodies beyond the budget are refused as a call is, one for each that does not fit', async (t) => {
  const { server, budgets } = await listener(t);
  const MB9 = 9 * 1024 * 1024;
  const head = `POST / HTTP/1.1\r\nAuthorization: x\r\nContent-Length: ${MB9}\r\n\r\n`;
  const refusals = Promise.withResolvers<string>();
  const sockets = Array.from({ length: 3 }, () => {
    const socket = connect(server.address.port, '127.0.0.1').on('error', () => {});
    socket.on('data', (part: Buffer) => refusals.resolve(String(part)));
    socket.write(head);
    socket.write(Buffer.alloc(MB9 - 1));
    return socket;
  });
  assert.match(await refusals.promise, /^HTTP\/1\.1 200 OK[^]*Connection: close[^]*\{"ServiceUnavailable":"none"\}$/);
  assert.deepEqual(budgets, ['unverified-bodies']);
  assert.equal((await fetch(server.origin, { method: 'POST', body: '{}' })).status, 200);
  for (const socket of sockets) socket.destroy();
});

test('A2: one address that has its most connections loses its oldest, and is answered on a new one', async (t) => {
  const { server, budgets } = await listener(t);
  const most = BUDGETS['api-connections-per-peer'].most;
  const open = async (): Promise<Socket> => {
    const socket = connect(server.address.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const [first, ...others] = await Promise.all(Array.from({ length: most }, open));
  const gone = once(first as Socket, 'close');
  (first as Socket).resume();
  const answer = await raw(server.address.port, 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 200 OK/);
  await gone;
  assert.deepEqual(budgets, ['api-connections-per-peer']);
  for (const socket of others) socket.destroy();
});

test('what came before bytes that are no HTTP is answered first, and a client that half-closed as well', async (t) => {
  const { server, own } = await listener(t);
  const gate = Promise.withResolvers<void>();
  own.call = async () => {
    await gate.promise;
    return { status: 200, headers: {}, body: '"late"' };
  };
  const good = 'GET /?a HTTP/1.1\r\nHost: a\r\n\r\n';
  const broken = raw(server.address.port, `${good}${good}no HTTP\r\n\r\n`);
  const socket = connect(server.address.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  socket.end(good);
  await (await fetch(`${server.origin}/healthz`)).text();
  gate.resolve();
  assert.match(await broken, /"late"[^]*"late"[^]*\{"UnsupportedProtocol":"none"\}$/);
  await once(socket, 'close');
  assert.match(answer, /"late"$/);
});

test('a body that breaks behind its answer gets no second one', async (t) => {
  const { server } = await listener(t);
  const socket = connect(server.address.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(17)}`);
  await once(socket, 'data');
  socket.write('no length\r\n');
  await once(socket, 'close');
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, answer);
});

test('one that is refused early and breaks off is answered once and at once, behind those before it', async (t) => {
  const { server } = await listener(t);
  const good = 'GET /?a HTTP/1.1\r\n\r\n';
  for (const before of ['', good, good.repeat(9)]) {
    const socket = connect(server.address.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (part: string) => (answer += part));
    const start = performance.now();
    socket.end(`${before}POST /?a HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nx`);
    await once(socket, 'close');
    // limit: others that are refused early may send for five seconds more.
    assert.ok(performance.now() - start < 4_000);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1 + before.length / good.length, answer);
  }
});

test('a call that never ends can be given up, whatever was answered before it on its connection', async (t) => {
  const { server, own } = await listener(t);
  const gate = Promise.withResolvers<void>();
  own.call = async () => {
    await gate.promise;
    return { status: 200, headers: {}, body: '"late"' };
  };
  const most = BUDGETS['api-connections-per-peer'].most;
  const text = 'GET /?a HTTP/1.1\r\n\r\nPOST /?a HTTP/1.1\r\nContent-Length: 2\r\n\r\n';
  const sockets = Array.from({ length: most }, () => connect(server.address.port, '127.0.0.1').on('error', () => {}));
  const answers = sockets.map((socket) => once(socket, 'data'));
  for (const socket of sockets) socket.write(text);
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  gate.resolve();
  await Promise.all(answers);
  const answer = await raw(server.address.port, 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n');
  assert.match(answer, /ok\n$/);
  for (const socket of sockets) socket.destroy();
});
