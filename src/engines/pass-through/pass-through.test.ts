import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { MODES, type Mode } from '../../domain/l4-rule/modes.ts';
import { PASS_THROUGH } from './index.ts';
import { plainAddress, type Endpoint } from './pass-through.ts';

const v4: [Endpoint, Endpoint] = [
  { address: '192.168.0.1', port: 56324 },
  { address: '192.168.0.11', port: 443 },
];
const v6: [Endpoint, Endpoint] = [
  { address: '2001:db8::1', port: 1 },
  { address: '2001:db8::2', port: 65535 },
];
const SIGNATURE = '0d0a0d0a000d0a515549540a';

function bytes(mode: Mode, protocol: 'TCP' | 'UDP', [client, entry]: [Endpoint, Endpoint]): Buffer {
  return Buffer.from(PASS_THROUGH[mode].announce(protocol, client, entry));
}
const hex = (...args: Parameters<typeof bytes>): string => bytes(...args).toString('hex');

test('each mode carries its header where the cloud puts it', () => {
  const carriers = Object.entries(PASS_THROUGH).map(([mode, { carrier, replyHeader }]) => [mode, carrier, replyHeader]);
  assert.deepEqual(carriers, [
    ['OFF', 'none', 0],
    ['TOA', 'option', 0],
    ['PPV1', 'start', 0],
    ['PPV2', 'start', 0],
    ['SPP', 'datagram', 38],
  ]);
  assert.deepEqual(Object.keys(PASS_THROUGH), Object.keys(MODES));
});

test('OFF adds nothing', () => assert.equal(hex('OFF', 'TCP', v4), ''));

test('PPV1 is the line of the cloud’s page', () => {
  assert.equal(bytes('PPV1', 'TCP', v4).toString(), 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n');
  assert.equal(bytes('PPV1', 'TCP', v6).toString(), 'PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n');
});

test('PPV2 tells family and transport', () => {
  assert.equal(hex('PPV2', 'TCP', v4), `${SIGNATURE}2111000cc0a80001c0a8000bdc0401bb`);
  assert.equal(hex('PPV2', 'UDP', v4), `${SIGNATURE}2112000cc0a80001c0a8000bdc0401bb`);
  const addresses = '20010db800000000000000000000000120010db80000000000000000000000020001ffff';
  assert.equal(hex('PPV2', 'TCP', v6), `${SIGNATURE}21210024${addresses}`);
  assert.equal(hex('PPV2', 'UDP', v6), `${SIGNATURE}21220024${addresses}`);
});

test('SPP is 38 bytes, IPv4 in its mapped form', () => {
  const mapped = (tail: string): string => `00000000000000000000ffff${tail}`;
  assert.equal(hex('SPP', 'UDP', v4), `56ec${mapped('c0a80001')}${mapped('c0a8000b')}dc0401bb`);
  assert.equal(bytes('SPP', 'UDP', v6).length, 38);
});

test('TOA is one TCP option', () => {
  assert.equal(hex('TOA', 'TCP', v4), 'fe08dc04c0a80001');
  assert.equal(hex('TOA', 'TCP', v6), 'fd14000120010db8000000000000000000000001');
});

test('two families in one header become IPv6', () => {
  const mixed: [Endpoint, Endpoint] = [v6[0], v4[1]];
  assert.equal(bytes('PPV1', 'TCP', mixed).toString(), 'PROXY TCP6 2001:db8::1 ::ffff:192.168.0.11 1 443\r\n');
  assert.equal(bytes('PPV2', 'TCP', mixed)[13], 0x21);
});

test('an address that cannot be written is not invented', () => {
  const odd: [Endpoint, Endpoint] = [{ address: 'unix', port: 0 }, v4[1]];
  assert.equal(bytes('PPV1', 'TCP', odd).toString(), 'PROXY UNKNOWN\r\n');
  assert.equal(hex('PPV2', 'TCP', odd), `${SIGNATURE}20000000`);
  assert.equal(bytes('SPP', 'UDP', odd).readUInt16BE(0), 0x56ec);
  assert.equal(hex('TOA', 'TCP', odd), '');
});

test('addresses are written plainly', () => {
  const table = { '::ffff:192.0.2.7': '192.0.2.7', 'fe80::1%eth0': 'fe80::1', '::1': '::1', '10.0.0.1': '10.0.0.1' };
  for (const [told, plain] of Object.entries(table)) assert.equal(plainAddress(told), plain);
});
