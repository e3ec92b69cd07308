import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { HttpChecker } from '../../../domain/load-balancer/checker.ts';
import type { Lookup } from '../../origins/lookup.ts';
import { HERE, listening, probed, say, TIMES, TOOLS } from './peers.fixture.ts';

const http = (port: number, more: Partial<HttpChecker> = {}, lookup: Lookup = TOOLS.lookup) =>
  probed(
    {
      type: 'HTTP',
      port,
      method: 'GET',
      path: 'www.example.com/test?a=1',
      codes: ['2xx'],
      headers: [],
      followsRedirects: false,
      ...TIMES,
      ...more,
    },
    { ...TOOLS, lookup },
  );

/** Answers each request with what is made of it. */
const serving = (t: TestContext, answer: (request: string, socket: Socket) => string | undefined): Promise<number> =>
  listening(t, (socket) => {
    socket.once('data', (bytes: Buffer) => {
      const text = answer(String(bytes), socket);
      if (text !== undefined) socket.end(text);
    });
  });
const status = (code: number, more = ''): string => `HTTP/1.1 ${code} Words\r\n${more}\r\n`;

test('the request, whole', async (t) => {
  const requests: string[] = [];
  const port = await serving(t, (request) => {
    requests.push(request);
    return status(204);
  });
  await http(port);
  await http(port, {
    method: 'HEAD',
    path: 'a.example',
    headers: [
      { key: 'host', value: 'b' },
      { key: 'X', value: '1\r\nY: 2' },
    ],
  });
  assert.deepEqual(requests, [
    'GET /test?a=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: EdgeFour-health-check\r\nAccept: */*\r\nConnection: close\r\n\r\n',
    'HEAD / HTTP/1.1\r\nUser-Agent: EdgeFour-health-check\r\nAccept: */*\r\nhost: b\r\nX: 1 Y: 2\r\nConnection: close\r\n\r\n',
  ]);
});

test('without a path: the first page of the origin, under its own address', async (t) => {
  const requests: string[] = [];
  const port = await serving(t, (request) => {
    requests.push(request);
    return status(200);
  });
  assert.equal((await http(port, { path: '' })).verdict, 'healthy');
  assert.match(requests[0] ?? '', /^GET \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1\r\n/);
});

test('codes: one, a class, none said', async (t) => {
  const cases: readonly (readonly [number, readonly string[], string])[] = [
    [200, ['2xx'], 'HTTP 200'],
    [204, [], 'HTTP 204'],
    [404, ['200', '404'], 'HTTP 404'],
    [301, ['3XX'], 'HTTP 301'],
    [503, ['2xx'], 'HTTP 503 instead of 2xx'],
    [302, [], 'HTTP 302 instead of 2xx'],
    [201, ['200', '204'], 'HTTP 201 instead of 200, 204'],
  ];
  for (const [code, codes, reason] of cases) {
    const result = await http(await serving(t, () => status(code)), { codes });
    assert.deepEqual(result, { verdict: reason.includes('instead') ? 'unhealthy' : 'healthy', reason });
  }
});

test('a head in pieces, interim answers before it, and what is not HTTP', async (t) => {
  const pieces = await listening(
    t,
    (socket) => void say(socket, 'HTTP/1', '.1 100 Go on\r\n', '\r\nHTTP/1.1 20', '0 OK\r\n\r', '\n'),
  );
  assert.deepEqual(await http(pieces), { verdict: 'healthy', reason: 'HTTP 200' });
  const cases: readonly (readonly [string | undefined, string])[] = [
    ['SSH-2.0-x\r\n', 'no HTTP: "SSH-2.0-x\\u000d\\n"'],
    ['HTTP/2.0 200 OK\r\n\r\n', 'no HTTP: "HTTP/2.0 200 OK"'],
    ['HTTP/1.1 99 x\r\n\r\n', 'no HTTP: "HTTP/1.1 99 x"'],
    ['HTTP/1.1 200 OK\r\n', 'it closed the connection: an answer that is not whole: "HTTP/1.1 200 OK\\u000d\\n"'],
    ['', 'it closed the connection: no answer'],
    [undefined, 'within 0.2 s: no answer'],
    [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`, 'the head of its answer is beyond 16 KiB'],
    ['HTTP/1.1 103 x\r\n\r\n'.repeat(9), 'it sends interim answers without an end'],
  ];
  for (const [answer, reason] of cases) {
    const result = await http(await serving(t, () => answer), { timeoutSeconds: 0.2 });
    assert.deepEqual(result, { verdict: 'unhealthy', reason });
  }
});

test('the origin closes first and hears of no error; one that goes on and on is cut off', async (t) => {
  const ends: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const note = (word: string): void => {
    ends.push(word);
    if (ends.length === 2) resolve();
  };
  const port = await serving(t, (request, socket) => {
    socket.on('error', () => note('error')).once('end', () => note('end'));
    // Where the whole body was taken, its end comes before the probe's.
    if (request.startsWith('GET /short')) socket.end(status(200, 'Content-Length: 50000\r\n') + 'b'.repeat(50_000));
    else socket.write(status(200) + 'b'.repeat(2_000_000));
    return undefined;
  });
  await http(port, { path: 'a/short' });
  await http(port, { path: 'a/long' });
  await promise;
  assert.deepEqual(ends.toSorted(), ['end', 'error']);
});

test('redirects: at home, elsewhere, to nowhere, to where policy lets no origin be, and too many', async (t) => {
  const elsewhere = await serving(t, (request) =>
    request.includes('Host: other.example') ? status(200) : status(500),
  );
  const port = await serving(t, (request) => {
    const [, path = ''] = /^GET \/(\S*)/.exec(request) ?? [];
    const hops = Number(/^hop(\d)/.exec(path)?.[1] ?? -1);
    if (hops === 0) return status(200);
    if (hops > 0) return status(302, `Location: /hop${hops - 1}\r\n`);
    return status(302, `LOCATION:${decodeURIComponent(path)}\r\n`);
  });
  const lookup: Lookup = (name) =>
    name === 'other.example'
      ? Promise.resolve({ addresses: ['127.9.0.1', HERE], ttlSeconds: 1 })
      : Promise.reject(new Error('ENOTFOUND'));
  const cases: readonly (readonly [string, string])[] = [
    ['hop3', 'HTTP 200'],
    ['hop4', 'more than 3 redirects, the last one to /hop0'],
    [encodeURIComponent(`http://other.example:${elsewhere}/x`), 'HTTP 200'],
    [encodeURIComponent(`http://${HERE}:${elsewhere}/x`), 'HTTP 500 instead of 2xx'],
    [encodeURIComponent('http://gone.example/'), 'HTTP 302 to http://gone.example/: that name has no address'],
    [encodeURIComponent('http://127.9.9.9/'), 'HTTP 302 to http://127.9.9.9/: policy lets no origin be there'],
    [encodeURIComponent('http://0177.9.9.9/'), 'HTTP 302 to http://0177.9.9.9/: policy lets no origin be there'],
    [
      encodeURIComponent('http://[::ffff:127.9.9.9]/'),
      'HTTP 302 to http://[::ffff:127.9.9.9]/: policy lets no origin be there',
    ],
    [encodeURIComponent('file:///etc/passwd'), 'HTTP 302 to file:///etc/passwd: that is no address of HTTP'],
    [encodeURIComponent('http://'), 'HTTP 302 to http://: that is no address of HTTP'],
  ];
  for (const [path, reason] of cases) {
    const result = await http(port, { path: `www.example.com/${path}`, followsRedirects: true }, lookup);
    assert.equal(result.reason, reason, path);
    assert.equal(result.verdict, reason === 'HTTP 200' ? 'healthy' : 'unhealthy');
  }
  const stays = await http(port, { path: 'www.example.com/hop1' });
  assert.equal(stays.reason, 'HTTP 302 instead of 2xx');
});

test('a redirect to a name that is not answered for ends with the time of the check', async (t) => {
  const port = await serving(t, () => status(302, 'Location: http://slow.example/\r\n'));
  const result = await http(port, { followsRedirects: true, timeoutSeconds: 0.2 }, () => new Promise(() => {}));
  assert.equal(result.reason, 'HTTP 302 to http://slow.example/: that name has no address');
});

test('HTTPS with a certificate that nobody signed, and where no TLS is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edgefour-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = ['-keyout', key, '-out', cert, '-subj', '/CN=x', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...made], {
    stdio: 'ignore',
  });
  const names: (string | false | null)[] = [];
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    names.push(socket.servername);
    socket.once('data', () => socket.end(status(200)));
  });
  const port = await listening(t, () => {}, server);
  assert.deepEqual(await http(port, { type: 'HTTPS' }), { verdict: 'healthy', reason: 'HTTP 200' });
  assert.deepEqual(names, ['www.example.com']);
  const plain = await http(await serving(t, () => status(200)), { type: 'HTTPS' });
  assert.equal(plain.verdict, 'unhealthy');
  assert.match(plain.reason, /^TLS: /);
});
