/**
 * What origins may answer to probes, made up by machines: readers that never throw, and redirects that lead nowhere they must
 * not.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { HttpChecker } from '../../../domain/load-balancer/checker.ts';
import { egressRule } from '../../../lib/net/egress.ts';
import { type Rng, seededRng } from '../../../lib/rng.ts';
import { echoRequest, isReply } from './echo.ts';
import { Expectation, MOST_ANSWER_BYTES } from './expectation.ts';
import { type HttpAnswer, HttpHead } from './http-answer.ts';
import { listening, probed, TIMES, TOOLS } from './peers.fixture.ts';

const TIMES_TRIED = 10_000;
/** A line that a terminal can show. */
const WORDS = /^[\x20-\x7e\xa0-\uffff]{1,400}$/;

const pick = <T>(rng: Rng, choices: readonly T[]): T => choices[rng.below(choices.length)]!;

/** A few of its bytes are others, gone, or twice there. */
function mutated(rng: Rng, bytes: Uint8Array): Buffer {
  const all = [...bytes];
  for (let n = rng.below(6); n > 0; n--) {
    const at = rng.below(all.length + 1);
    const what = rng.below(4);
    if (what === 0) all[at] = rng.below(256);
    else if (what === 1) all.splice(at, 1 + rng.below(4));
    else if (what === 2) all.splice(at, 0, ...rng.bytes(rng.below(8)));
    else all.splice(at, 0, ...all.slice(at, at + rng.below(40)));
  }
  return Buffer.from(all);
}

/** In pieces, some of them empty. */
function* pieces(rng: Rng, bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length;) {
    const to = from + rng.below(pick(rng, [2, 9, 200, 20_000]));
    yield bytes.subarray(from, to);
    from = to;
  }
}

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.0 503 Service Unavailable\nServer: x\n\n',
  'HTTP/1.1 302 Found\r\nLocation: http://127.9.0.1/\r\nX: y\r\n\r\nbody',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
].map((text) => Buffer.from(text, 'latin1'));

const LONG = Buffer.from(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(MOST_ANSWER_BYTES)}\r\n\r\n`);

test('heads of HTTP: however they are spoilt and cut, the answer is the same as in one piece, and is in words', () => {
  const rng = seededRng(1);
  const seen = { status: 0, bad: 0, open: 0 };
  for (let i = 0; i < TIMES_TRIED; i++) {
    const bytes = mutated(rng, rng.below(200) === 0 ? LONG : pick(rng, ANSWERS));
    const whole = new HttpHead().hear(bytes);
    const head = new HttpHead();
    let answer: HttpAnswer | undefined;
    for (const piece of pieces(rng, bytes)) answer ??= head.hear(piece);
    if (!answer) {
      seen.open++;
      assert.match(head.missed, WORDS);
    } else if ('bad' in answer) {
      seen.bad++;
      assert.match(answer.bad, WORDS);
    } else {
      seen.status++;
      assert.ok(answer.status >= 200 && answer.status <= 999);
      assert.deepEqual(answer, whole);
    }
  }
  assert.ok(Math.min(...Object.values(seen)) > TIMES_TRIED / 50, JSON.stringify(seen));
});

test('expected texts: found where they are in what is read of an answer, and nowhere else', () => {
  const rng = seededRng(2);
  const wanted = Buffer.from('+PONG');
  const seen = { found: 0, missed: 0 };
  for (let i = 0; i < TIMES_TRIED; i++) {
    const around = rng.bytes(rng.below(rng.below(200) === 0 ? 2 * MOST_ANSWER_BYTES : 40));
    const bytes = mutated(rng, Buffer.concat([around, wanted, rng.bytes(rng.below(10))]));
    const expectation = new Expectation('+PONG');
    let heard = 'more';
    for (const piece of pieces(rng, bytes)) if (heard === 'more') heard = expectation.hear(piece);
    const isThere = bytes.subarray(0, MOST_ANSWER_BYTES).includes(wanted);
    assert.equal(heard === 'found', isThere);
    seen[isThere ? 'found' : 'missed']++;
    assert.match(expectation.missed, WORDS);
  }
  assert.ok(Math.min(...Object.values(seen)) > TIMES_TRIED / 50, JSON.stringify(seen));
});

test('replies to pings: one that lost a byte of what tells it from others is none', () => {
  const rng = seededRng(3);
  let replies = 0;
  for (let i = 0; i < TIMES_TRIED; i++) {
    const cookie = rng.bytes(16);
    const family = pick(rng, [4, 6] as const);
    const reply = Buffer.from(echoRequest(family, cookie));
    reply[0] = family === 4 ? 0 : 129;
    const hasIpHeader = family === 4 && rng.below(2) === 0;
    const header = Buffer.alloc(hasIpHeader ? 20 + 4 * rng.below(11) : 0);
    if (hasIpHeader) header[0] = 0x40 | (header.length / 4);
    const bytes = mutated(rng, Buffer.concat([header, reply]));
    if (!isReply(bytes, family, cookie, hasIpHeader)) continue;
    replies++;
    assert.ok(bytes.includes(Buffer.from(cookie)));
  }
  assert.ok(replies > TIMES_TRIED / 50 && replies < TIMES_TRIED);
});

/** Spellings of 127.9.0.1, names that lead there, and places that are no place of HTTP. */
const HOSTS = [
  '127.9.0.1',
  '0177.011.0.1',
  '0x7f.9.0.1',
  '0x7f090001',
  '2131296257',
  '127.589825',
  '127.9.1',
  '%31%32%37.9.0.1',
  '１２７.9.0.1',
  '127。9。0。1',
  '127.9.0.1.',
  '[::ffff:127.9.0.1]',
  '[::ffff:7f09:1]',
  '[::127.9.0.1]',
  '[64:ff9b::127.9.0.1]',
  '[2002:7f09:1::]',
  'denied.example',
  'both-denied.example',
  'user:password@127.9.0.1',
  'www.example.com@127.9.0.1',
];
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'denied.example': ['127.9.0.1'],
  'both-denied.example': ['::ffff:127.9.0.1', '127.9.0.1'],
};
const FORMS: readonly ((host: string, port: number) => string)[] = [
  (host, port) => `http://${host}:${port}/`,
  (host, port) => `//${host}:${port}/x`,
  (host, port) => `http:\\\\${host}:${port}\\x`,
  (host, port) => `HTTP://${host}:${port}`,
  (host, port) => `\t http://${host}:${port}/#x`,
  (host, port) => `https://${host}:${port}/`,
  (host, port) => `http:///${host}:${port}/`,
];

test('redirects to where policy lets no origin be: however it is written, nothing is dialled there', async (t) => {
  const rng = seededRng(4);
  const denied = createServer((socket) => {
    dialled++;
    socket.on('error', () => {}).destroy();
  }).listen(0, '127.9.0.1');
  let dialled = 0;
  await once(denied, 'listening');
  t.after(() => denied.close());
  const { port: deniedPort } = denied.address() as AddressInfo;
  let location = '';
  const port = await listening(t, (socket) => {
    socket.once('data', () => socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\n\r\n`));
  });
  const checker: HttpChecker = {
    type: 'HTTP',
    port,
    method: 'GET',
    path: 'www.example.com/',
    codes: ['200'],
    headers: [],
    followsRedirects: true,
    ...TIMES,
    timeoutSeconds: 2,
  };
  const lookup = (name: string) => {
    const addresses = ADDRESSES[name];
    return addresses ? Promise.resolve({ addresses, ttlSeconds: 1 }) : Promise.reject(new Error('ENOTFOUND'));
  };
  // Everything but 127.0.0.0/16, so that what a spelling may mean elsewhere is not dialled either.
  const others = Array.from({ length: 16 }, (_, bit) => sibling(0x7f00_0000, bit + 1));
  const tools = { ...TOOLS, lookup, egress: egressRule([...others, '::/0']) };
  for (const host of HOSTS)
    for (const form of FORMS) {
      location = form(host, deniedPort);
      const { verdict, reason } = await probed(checker, tools);
      assert.equal(verdict, 'unhealthy', location);
      assert.match(reason, WORDS, location);
    }
  for (let i = 0; i < 1_000; i++) {
    const text = Buffer.from(pick(rng, FORMS)(pick(rng, HOSTS), deniedPort), 'latin1');
    location = mutated(rng, text).toString('latin1');
    const { verdict, reason } = await probed(checker, tools);
    assert.notEqual(verdict, 'healthy', location);
    assert.match(reason, WORDS, location);
  }
  assert.equal(dialled, 0);
  // Where policy has nothing against it, it would have been dialled.
  location = `http://127.9.0.1:${deniedPort}/`;
  await probed(checker, { ...tools, egress: egressRule([]) });
  assert.equal(dialled, 1);
});

/** The network of this length that differs in its last bit from the one that the address is in. */
function sibling(address: number, length: number): string {
  const size = 2 ** (32 - length);
  const network = Math.floor(address / size);
  const other = (network % 2 === 0 ? network + 1 : network - 1) * size;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(other / 2 ** shift) % 256).join('.')}/${length}`;
}
