import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { probe } from '../probe.ts';
import { echoRequest, isReply } from './echo.ts';
import { HERE, TIMES, TOOLS } from './peers.fixture.ts';

const COOKIE = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

test('a request, byte by byte; what the origin makes of it is the reply, and nothing else is', () => {
  const request = echoRequest(4, COOKIE);
  assert.equal(Buffer.from(request).toString('hex'), '0800b3b1010203040102030405060708090a0b0c0d0e0f10');
  assert.equal(
    Buffer.from(echoRequest(6, COOKIE)).toString('hex'),
    '8000000001020304' + Buffer.from(COOKIE).toString('hex'),
  );
  const reply = Uint8Array.from(request);
  reply[0] = 0;
  const packet = Buffer.concat([Buffer.from(`45${'00'.repeat(19)}`, 'hex'), reply]);
  assert.equal(isReply(reply, 4, COOKIE, false), true);
  assert.equal(isReply(packet, 4, COOKIE, true), true);
  for (const other of [request, reply.subarray(1), reply.subarray(0, 23), new Uint8Array()])
    assert.equal(isReply(other, 4, COOKIE, false), false);
  assert.equal(isReply(reply, 6, COOKIE, false), false);
  assert.equal(
    isReply(
      reply,
      4,
      COOKIE.map((byte) => byte + 1),
      false,
    ),
    false,
  );
});

test('any bytes are read, and are no reply', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(4, 6), fc.boolean(), (bytes, family, isRaw) => {
      assert.equal(isReply(bytes, family, COOKIE, isRaw), false);
    }),
    { numRuns: 10_000 },
  );
});

test('a ping of this machine, in both families: an answer, or why the machine cannot ping', async () => {
  for (const address of [HERE, '::1']) {
    const result = await probe(address, { type: 'ICMP Ping', ...TIMES }, TOOLS);
    if (result.verdict === 'healthy') assert.equal(result.reason, 'it answers pings');
    else {
      assert.equal(result.verdict, 'unknown');
      assert.match(
        result.reason,
        /^(no socket for pings \(\w+\): widen net\.ipv4\.ping_group_range|pings need Linux|this machine)/,
      );
    }
  }
});
