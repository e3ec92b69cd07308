/** The name server over real sockets: UDP, TCP with its pipelining and limits, Debian's dig as a client where it exists. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { execFile, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { createMetrics, type Metrics } from '../../observe/metrics.ts';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { type Answered, decoded, DOMAIN, MYPROXY, proxy, question, worldOf, zone } from './dns.fixture.ts';
import { type DnsOptions, startDns } from './server.ts';

interface Running {
  readonly port: number;
  readonly metrics: Metrics;
}

async function running(t: TestContext, over: Partial<DnsOptions> = {}): Promise<Running> {
  const metrics = createMetrics();
  const listen = { host: '127.0.0.1', port: 0 };
  const world = worldOf([zone(), proxy({ ipv6: 'on' })]);
  const dns = await startDns({ listen, world, log: silentLog, metrics, clock: systemClock, ...over });
  t.after(() => dns.close());
  return { port: dns.address.port, metrics };
}

const loopbacks = process.platform === 'linux' ? false : 'only Linux has all of 127.0.0.0/8';

const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);

/** Everything the server says until it closes its side. */
async function conversation(socket: Socket, bytes: Buffer): Promise<Answered[]> {
  socket.end(bytes);
  let all = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) all = Buffer.concat([all, chunk]);
  const answers: Answered[] = [];
  while (all.length > 0) {
    const length = all.readUInt16BE(0);
    answers.push(decoded(all.subarray(2, 2 + length)));
    all = all.subarray(2 + length);
  }
  return answers;
}

test('answers over UDP and counts it', async (t) => {
  const { port, metrics } = await running(t);
  const client = createSocket('udp4');
  t.after(() => client.close());
  client.send(Buffer.from('noise'), port, '127.0.0.1');
  client.send(question(), port, '127.0.0.1');
  const [bytes] = (await once(client, 'message')) as [Buffer];
  assert.equal(decoded(bytes).answers?.length, 1);
  assert.match(metrics.render(), /edgefour_dns_answers_total\{transport="udp",rcode="NOERROR"\} 1/);
  assert.match(metrics.render(), /edgefour_dns_dropped_total\{reason="not-a-query"\} 1/);
});

/** A question from a socket that takes answers from nowhere but there. */
async function askAt(address: string, port: number): Promise<Answered> {
  const client = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve) => {
      client.connect(port, address, resolve);
    });
    const answer = once(client, 'message', { signal: AbortSignal.timeout(30_000) });
    const again = setInterval(() => client.send(question(), () => {}), 100);
    client.on('error', () => {});
    const [bytes] = (await answer.finally(() => clearInterval(again))) as [Buffer];
    return decoded(bytes);
  } finally {
    client.close();
  }
}

test('at a wildcard the answer leaves from the address that was asked', { skip: loopbacks }, async (t) => {
  const clock = new ManualClock();
  const wilds: [string, string[]][] = [
    ['0.0.0.0', ['127.0.0.1', '127.9.1.1']],
    ['::', ['127.0.0.1', '127.9.1.1', '::1']],
  ];
  for (const [host, here] of wilds) {
    const { port } = await running(t, { listen: { host, port: 0 }, addresses: () => here, clock });
    for (const address of here) assert.equal((await askAt(address, port)).answers?.length, 1);
    here.push('127.9.1.2');
    await clock.advance(2_000);
    assert.equal((await askAt('127.9.1.2', port)).answers?.length, 1);
    here.splice(1, 1);
    await clock.advance(2_000);
    const free = createSocket('udp4').bind(port, '127.9.1.1');
    await once(free, 'listening');
    free.close();
  }
});

test(
  'at a wildcard, a port that is taken at one address is refused and nothing stays open',
  { skip: loopbacks },
  async (t) => {
    const other = createSocket('udp4').bind(0, '127.9.1.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address();
    const addresses = () => ['127.0.0.1', '127.9.1.1'];
    await assert.rejects(running(t, { listen: { host: '0.0.0.0', port }, addresses }), { code: 'EADDRINUSE' });
    const free = createSocket('udp4').bind(port, '127.0.0.1');
    await once(free, 'listening');
    free.close();
  },
);

test('a flood from one network is cut to its budget', async (t) => {
  const { port, metrics } = await running(t, { perSecond: 5, clock: { ...systemClock, monotonic: () => 0 } });
  const client = createSocket('udp4');
  t.after(() => client.close());
  const got: Answered[] = [];
  client.on('message', (bytes) => got.push(decoded(bytes)));
  for (let i = 0; i < 20; i++) client.send(question(), port, '127.0.0.1');
  while (!metrics.render().includes('edgefour_dns_dropped_total{reason="rate"} 7') || got.length < 13) {
    await once(client, 'message', { signal: AbortSignal.timeout(30_000) });
  }
  assert.equal(got.filter((answer) => answer.flag_tc).length, 8);
});

test('beyond the networks that are counted, answers are truncated, and how many is counted', async (t) => {
  const { port, metrics } = await running(t, { limit: { judge: () => 'unknown' } });
  assert.equal((await askAt('127.0.0.1', port)).flag_tc, true);
  assert.match(metrics.render(), /edgefour_budget_refusals_total\{budget="dns-udp-networks"\} \d/);
});

test('pipelined questions over TCP are answered in order, also when the asker has closed its side', async (t) => {
  const { port } = await running(t);
  const ids = Array.from({ length: 500 }, (_, i) => i);
  const bytes = Buffer.concat(ids.map((id) => framed(question({ packet: { id } }))));
  const answers = await conversation(connect(port, '127.0.0.1'), bytes);
  assert.deepEqual(
    answers.map((answer) => answer.id),
    ids,
  );
  assert.ok(answers.every((answer) => answer.answers?.length === 1));
});

test('a question split at every byte is one question', async (t) => {
  const { port } = await running(t);
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const bytes = framed(question());
  for (const byte of bytes.subarray(0, -1)) socket.write(Buffer.from([byte]));
  const answers = await conversation(socket, bytes.subarray(-1));
  assert.equal(answers[0]?.rcode, 'NOERROR');
});

test('TCP ends for noise, for over-long questions and for the silent', async (t) => {
  const impatient = { ...systemClock, after: (_ms: number, run: () => void) => systemClock.after(50, run) };
  const { port } = await running(t, { clock: impatient });
  for (const bytes of [framed(Buffer.from('noise')), Buffer.from([0xff, 0xff, 1])]) {
    assert.deepEqual(await conversation(connect(port, '127.0.0.1'), bytes), []);
  }
  const silent = connect(port, '127.0.0.1');
  silent.resume();
  await once(silent, 'close', { signal: AbortSignal.timeout(30_000) });
});

/** Connections that have asked once, one after the other, and are idle now. */
async function idlers(t: TestContext, port: number, localAddress: string, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    t.after(() => socket.destroy());
    socket.on('error', () => {}).write(framed(question()));
    await once(socket, 'data');
    sockets.push(socket.resume());
  }
  return sockets;
}

test('connections that are idle shut nobody out: the oldest goes', { skip: loopbacks }, async (t) => {
  const { port, metrics } = await running(t);
  const networks = ['127.1.1.1', '127.1.2.1', '127.1.3.1', '127.1.4.1'];
  const held: Socket[] = [];
  for (const network of networks) held.push(...(await idlers(t, port, network, 64)));
  const [oldest] = held;
  assert.ok(oldest);
  const gone = once(oldest, 'close', { signal: AbortSignal.timeout(30_000) });
  const others = connect({ port, host: '127.0.0.1', localAddress: '127.2.2.2' });
  const [answer] = await conversation(others, framed(question()));
  assert.equal(answer?.rcode, 'NOERROR');
  await gone;
  assert.equal(held.filter(({ closed }) => closed).length, 1);
  assert.match(metrics.render(), /edgefour_dns_dropped_total\{reason="connections"\} 1/);
});

test('of one network so many stay, and one more costs it the one that has been idle longest', async (t) => {
  const { port, metrics } = await running(t);
  const held = await idlers(t, port, '127.0.0.1', 64);
  const gone = once(held[0] ?? assert.fail(), 'close', { signal: AbortSignal.timeout(30_000) });
  await idlers(t, port, '127.0.0.1', 1);
  await gone;
  assert.equal(held.filter(({ closed }) => closed).length, 1);
  assert.match(metrics.render(), /edgefour_dns_dropped_total\{reason="connections-of-network"\} 1/);
});

test("a taken port is refused with the system's word and nothing stays open", async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  await assert.rejects(running(t, { listen: { host: '127.0.0.1', port } }), { code: 'EADDRINUSE' });
});

test('close may be called twice and frees the port', async (t) => {
  const options = { log: silentLog, metrics: createMetrics(), clock: systemClock, world: worldOf([]) };
  const first = await startDns({ ...options, listen: { host: '127.0.0.1', port: 0 } });
  const held = connect(first.address.port, '127.0.0.1');
  held.on('error', () => {});
  await once(held, 'connect');
  await Promise.all([first.close(), first.close()]);
  const second = await startDns({ ...options, listen: first.address });
  t.after(() => second.close());
});

test('on retirement who has connected is answered, and nobody new is heard', async (t) => {
  const options = { world: worldOf([zone(), proxy()]), log: silentLog, metrics: createMetrics(), clock: systemClock };
  const dns = await startDns({ ...options, listen: { host: '127.0.0.1', port: 0 } });
  t.after(() => dns.close());
  const { host, port } = dns.address;
  const early = connect(port, host);
  await once(early, 'connect');
  const retired = dns.retire().then(() => dns.close());
  const late = connect(port, host);
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
  const answers = await conversation(early, framed(question()));
  assert.equal(answers[0]?.answers?.length, 1);
  await retired;
});

const dig = spawnSync('dig', ['-v']).error === undefined;

test('dig reads our answers', { skip: dig ? false : 'dig is not installed (Debian: bind9-dnsutils)' }, async (t) => {
  const { port } = await running(t);
  async function digs(...args: string[]): Promise<string> {
    const options = ['@127.0.0.1', '-p', String(port), '+tries=1', '+time=3'];
    return (await promisify(execFile)('dig', [...options, ...args])).stdout;
  }
  assert.equal((await digs('+short', MYPROXY, 'A')).trim(), '127.44.0.1');
  assert.equal((await digs('+short', '+tcp', MYPROXY, 'AAAA')).trim(), '2001:db8::1');
  assert.equal((await digs('+short', MYPROXY, 'TXT')).trim(), '"id=sid-3kq7it9slfmc"');
  assert.match(await digs('+short', DOMAIN, 'SOA'), /^ns\.edgefour\.test\. hostmaster\.edgefour\.test\. 7 /);
  assert.match(await digs(`nobody.${DOMAIN}`), /status: NXDOMAIN[\s\S]*flags: qr aa rd;[\s\S]*SOA/);
  assert.match(await digs('+edns=1', '+noednsneg', MYPROXY), /status: BADVERS/);
  assert.match(await digs('+subnet=203.0.113.0/24', MYPROXY), /CLIENT-SUBNET: 203\.0\.113\.0\/24\/0/);
  assert.match(await digs(DOMAIN, 'AXFR'), /Transfer failed/);
  assert.match(await digs('+notcp', MYPROXY, 'ANY'), /HINFO\s+"RFC8482" ""/);
  assert.match(await digs('example.com'), /status: REFUSED/);
  assert.match(await digs('+opcode=NOTIFY', DOMAIN), /status: NOTIMP/);
  assert.match(await digs('-c', 'CH', '-t', 'TXT', 'version.bind'), /status: REFUSED/);
});
