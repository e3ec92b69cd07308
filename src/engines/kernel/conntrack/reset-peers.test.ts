import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../../../lib/net/address.ts';
import { challenge } from './reset-peers.ts';

const bytes = (address: string): Uint8Array => parseAddress(address) ?? assert.fail(address);

function folded(packet: Uint8Array, from: number, extra: number): number {
  let total = extra;
  for (let at = from; at < packet.length; at += 2) total += ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

test('an empty segment whose checksum is right, over IPv4 and IPv6', () => {
  for (const [source, target, header] of [
    ['192.0.2.1', '198.51.100.7', 20],
    ['2001:db8::1', '2001:db8::7', 40],
  ] as const) {
    const packet = challenge(bytes(source), 80, bytes(target), 40_000);
    assert.equal(packet.length, header + 20);
    assert.deepEqual([...packet.subarray(header, header + 4)], [0, 80, 156, 64]);
    const pseudo = folded(bytes(source), 0, 0) + folded(bytes(target), 0, 0) + 6 + 20;
    assert.equal(folded(packet, header, pseudo), 0xffff);
  }
});
