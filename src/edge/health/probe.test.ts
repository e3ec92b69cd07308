import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import { seededRng } from '../../lib/rng.ts';
import { probe } from './probe.ts';
import { answering, listening, probed, TIMES, TOOLS } from './probes/peers.fixture.ts';

const SHORT = { ...TIMES, timeoutSeconds: 0.5 };
const REQUEST = { method: 'GET', path: 'a.example/', codes: ['200'], headers: [], followsRedirects: true } as const;

function checkers(port: number): Checker[] {
  return [
    { type: 'TCP', port, ...SHORT },
    { type: 'TCP', port, send: 'PING\r\n', expect: '+PONG', ...SHORT },
    { type: 'UDP', port, send: 'status', expect: '+PONG', ...SHORT },
    { type: 'HTTP', port, ...REQUEST, ...SHORT },
    { type: 'HTTPS', port, ...REQUEST, ...SHORT },
    { type: 'ICMP Ping', ...SHORT },
  ];
}

test('an origin that policy refuses is not dialled by any check, however it is written', async () => {
  for (const checker of checkers(9))
    for (const address of ['127.9.0.1', '::ffff:127.9.0.1', '127.9.1', 'fe80::1%lo', 'a.example'])
      assert.deepEqual(await probe(address, checker, TOOLS), {
        verdict: 'unhealthy',
        reason: `denied: ${address} is not dialled`,
      });
});

test('where a rule of this edge listens no check is made: it would be one of its connections', async (t) => {
  let taken = 0;
  const port = await listening(t, () => taken++);
  const asked: string[] = [];
  const isOwn = (...place: unknown[]) => asked.push(place.join(' ')) > 0;
  for (const checker of checkers(port).slice(0, 5)) {
    const { verdict, reason } = await probed(checker, { ...TOOLS, isOwn });
    assert.equal(verdict, 'unknown');
    assert.match(reason, /^loop: (TCP|UDP) 127\.0\.0\.1:\d+ is a listener of this edge$/);
  }
  const place = `127.0.0.1 ${port}`;
  assert.deepEqual(asked, [`TCP ${place}`, `TCP ${place}`, `UDP ${place}`, `TCP ${place}`, `TCP ${place}`]);
  assert.equal(taken, 0);
});

test('a check that cannot be made says nothing against its origin', async () => {
  const { verdict, reason } = await probed({ type: 'TCP', port: 70_000, ...SHORT });
  assert.equal(verdict, 'unknown');
  assert.match(reason, /^this machine could not probe: .*port/i);
});

/** None of them is an answer that a check expects. */
const BEGINNINGS = [
  '',
  'HTTP/1.1 ',
  'HTTP/1.1 503 ',
  'HTTP/1.1 2000',
  'HTTP/1.0 302 x\r\nLocation: ',
  'HTTP/1.1 302 x\r\nLocation: http://127.9.0.1/\r\n\r\n',
  'HTTP/1.1 100 x\r\n\r\nHTTP/1.1 ',
  '+PON ',
  '\x16\x03\x01\x00\xff',
];

test('ten thousand answers of hostile bytes: each is unhealthy, with a reason that a terminal can show', async (t) => {
  const rng = seededRng(12);
  const answer = (): Buffer => {
    const beginning = BEGINNINGS[rng.below(BEGINNINGS.length)] ?? '';
    return Buffer.concat([
      Buffer.from(beginning, 'latin1'),
      rng.bytes(rng.below(60) === 0 ? rng.below(40_000) : rng.below(60)),
    ]);
  };
  const tcpPort = await listening(t, (socket) => {
    const cut = rng.below(3) === 0;
    socket.once('data', () => (cut ? socket.write(answer(), () => socket.resetAndDestroy()) : socket.end(answer())));
  });
  const udpPort = await answering(t, 'HTTP/1.1 200 OK\r\n\r\n', '\u0000\u001b[2J', '+PON');
  const [, tcp, udp, http, https] = checkers(tcpPort);
  const kinds = [
    [tcp, 4_000],
    [http, 5_000],
    [https, 900],
    [udp && { ...udp, port: udpPort, timeoutSeconds: 0.05 }, 100],
  ] as readonly (readonly [Checker, number])[];
  for (const [checker, times] of kinds) {
    for (let done = 0; done < times; done += 50) {
      const results = await Promise.all(Array.from({ length: 50 }, () => probed(checker)));
      for (const { verdict, reason } of results) {
        assert.equal(verdict, 'unhealthy', `${checker.type}: ${reason}`);
        assert.match(reason, /^[\x20-\x7e\xa0-\uffff]{1,500}$/);
      }
    }
  }
});
