/**
 * Hostile packets and what must hold for each: shared by hostile.test.ts and the long run in test/fuzz. Not loaded by the
 * product.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { silentLog } from '../../observe/log.ts';
import { decoded, MYPROXY, proxy, question, worldOf, zone } from './dns.fixture.ts';
import { writeReply, writeTruncated } from './reply.ts';
import { respond } from './respond.ts';

const world = worldOf([zone(), proxy({ ipv6: 'on' })]);

const option = fc.record({
  code: fc.constantFrom(8, 10, 12),
  ip: fc.constant(undefined),
  data: fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes)),
});
const wellFormed = fc
  .record({
    name: fc.constantFrom(MYPROXY, '.', 'edgefour.test', 'x.edgefour.test', `${'a'.repeat(63)}.edgefour.test`),
    type: fc.constantFrom('A', 'AAAA', 'TXT', 'SOA', 'NS', 'ANY', 'AXFR', 'IXFR', 'MX', 'OPT'),
    options: fc.array(option, { maxLength: 3 }),
    payload: fc.constantFrom(0, 512, 1232, 65_535),
    version: fc.constantFrom(0, 0, 0, 1),
  })
  .map(({ name, type, options, payload, version }) =>
    question({
      name,
      type: type as 'A',
      edns: { udpPayloadSize: payload, ednsVersion: version, options: options as never },
    }),
  );
const flips = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 6 });
const mutated = fc.tuple(wellFormed, flips, fc.nat(600)).map(([bytes, changes, cut]) => {
  const out = Buffer.from(bytes.subarray(0, cut < 40 ? cut : undefined));
  for (const [at, value] of changes) if (at < out.length) out[at] = value;
  return out;
});
const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));

export const hostile = fc.oneof({ weight: 8, arbitrary: mutated }, { weight: 1, arbitrary: noise });

export async function holds(bytes: Buffer): Promise<void> {
  const exchange = await respond(bytes, '2001:db8::7', world, silentLog);
  if (exchange === undefined) return;
  const { query, reply } = exchange;
  for (const out of [writeReply(query, reply, 'udp'), writeTruncated(query, reply)]) {
    assert.ok(out.length <= 1232 && out.length <= 10 * bytes.length, `${out.length} for ${bytes.length}`);
    const got = decoded(out);
    assert.equal(got.id, bytes.readUInt16BE(0));
    assert.equal(got.flag_qr, true);
  }
  decoded(writeReply(query, reply, 'tcp'));
}
