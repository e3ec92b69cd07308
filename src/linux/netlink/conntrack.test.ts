import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attribute, type Attribute, encode, HEADER_BYTES, u16, u32 } from './messages.ts';
import { parseAddress } from '../../lib/net/address.ts';
import { deleteFlow, getFlows, readBrief, readFlow } from './conntrack.ts';

const bytes = (address: string): Uint8Array => parseAddress(address) ?? assert.fail(address);
const u64 = (value: bigint): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, value);
  return new Uint8Array(view.buffer);
};

function tuple(
  type: number,
  source: string,
  sourcePort: number,
  target: string,
  port: number,
  protocol = 6,
): Attribute {
  const v6 = source.includes(':') ? 2 : 0;
  const ip = [attribute(1 + v6, bytes(source)), attribute(2 + v6, bytes(target))];
  const ports = [attribute(1, Uint8Array.of(protocol)), attribute(2, u16(sourcePort)), attribute(3, u16(port))];
  return attribute(type, [attribute(1, ip), attribute(2, ports)]);
}

function read(...attributes: Attribute[]) {
  const message = encode({ type: 0, flags: 0, family: 2, attributes });
  return readFlow(new DataView(message.buffer), HEADER_BYTES, message.length);
}

test('a connection is read whole: who, where to, how much, since when, in which state', () => {
  const seen = read(
    tuple(1, '198.51.100.7', 40_000, '192.0.2.1', 80),
    tuple(2, '10.0.0.1', 8080, '10.0.0.254', 41_000),
    attribute(3, u32(14)),
    attribute(4, [attribute(1, [attribute(1, Uint8Array.of(7))])]),
    attribute(8, u32(0xe4000401)),
    attribute(9, [attribute(1, u64(3n)), attribute(2, u64(300n))]),
    attribute(10, [attribute(1, u64(4n)), attribute(2, u64(5_000_000_000n))]),
    attribute(12, u32(77)),
    attribute(20, [attribute(1, u64(1_700_000_000_123_456_789n)), attribute(2, u64(1_700_000_001_000_000_000n))]),
  );
  assert.deepEqual(seen, {
    family: 4,
    protocol: 6,
    original: { source: { address: '198.51.100.7', port: 40_000 }, destination: { address: '192.0.2.1', port: 80 } },
    reply: { source: { address: '10.0.0.1', port: 8080 }, destination: { address: '10.0.0.254', port: 41_000 } },
    mark: 0xe4000401,
    id: 77,
    status: 14,
    timeout: 0,
    state: 7,
    packetsIn: 3,
    bytesIn: 300,
    packetsOut: 4,
    bytesOut: 5_000_000_000,
    startedAt: 1_700_000_000_123,
    endedAt: 1_700_000_001_000,
  });
});

test('IPv6 is read as such; what is not TCP or UDP, or has no addresses, is nothing', () => {
  const v6 = read(tuple(1, '2001:db8::7', 1, '2001:db8::1', 53, 17), tuple(2, 'fd00::1', 53, 'fd00::2', 1, 17));
  assert.deepEqual([v6?.family, v6?.protocol, v6?.original.source.address], [6, 17, '2001:db8::7']);
  assert.equal(read(tuple(1, '10.0.0.1', 1, '10.0.0.2', 1, 1), tuple(2, '10.0.0.2', 1, '10.0.0.1', 1, 1)), undefined);
  assert.equal(read(tuple(1, '10.0.0.1', 1, '10.0.0.2', 2)), undefined);
  assert.equal(read(), undefined);
});

test('asking for a rule and ending a connection name them exactly', () => {
  const ask = encode(getFlows(0xe0000400, 0xe3fffc00));
  assert.equal(Buffer.from(ask.subarray(HEADER_BYTES)).toString('hex'), '08000800e000040008001500e3fffc00');
  const one = {
    ...(read(tuple(1, '198.51.100.7', 40_000, '192.0.2.1', 80), tuple(2, '10.0.0.1', 8080, '10.0.0.254', 1)) ??
      assert.fail()),
    id: 5,
  };
  const end = encode(deleteFlow(one, bytes));
  const view = new DataView(end.buffer);
  assert.equal(readFlow(view, HEADER_BYTES, end.length), undefined);
  const whole = read(...deleteFlow(one, bytes).attributes, tuple(2, '10.0.0.1', 8080, '10.0.0.254', 1));
  assert.deepEqual([whole?.original, whole?.id], [one.original, one.id]);
});

test('whatever the bytes say, reading them ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const view = new DataView(Uint8Array.from(bytes).buffer);
      readFlow(view, 0, bytes.length);
      assert.ok(readBrief(view, 0, bytes.length).mark >= 0);
    }),
  );
});
