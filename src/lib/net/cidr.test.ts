import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { isUnicast, parseAddress } from './address.ts';
import { hostAt, hostRange, networkSet, parseCidr } from './cidr.ts';

function range(text: string) {
  const cidr = parseCidr(text);
  assert.ok(cidr, text);
  return hostRange(cidr);
}

test('what is a network and what is not', () => {
  for (const text of ['10.0.0.0/8', '10.1.2.3', '::/0', 'fd00::1', '10.1.2.3/24', '0.0.0.0/0'])
    assert.ok(parseCidr(text), text);
  const bad = [
    '',
    '10.0.0.0/33',
    'fd00::/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/08',
    'a.b.c.d/8',
    '10.0.0.0/-1',
  ];
  for (const text of bad) assert.equal(parseCidr(text), undefined, text);
});

const RANGES: readonly [network: string, size: number, first: string, last: string][] = [
  ['127.44.0.0/16', 65_534, '127.44.0.1', '127.44.255.254'],
  ['10.0.0.7/29', 6, '10.0.0.1', '10.0.0.6'],
  ['10.0.0.4/31', 2, '10.0.0.4', '10.0.0.5'],
  ['10.0.0.4', 1, '10.0.0.4', '10.0.0.4'],
  ['fd00::/126', 3, 'fd00::1', 'fd00::3'],
  ['fd00::/127', 2, 'fd00::', 'fd00::1'],
  ['fd00::/64', 0x1_0000_0000, 'fd00::1', 'fd00::1:0:0'],
];
for (const [network, size, first, last] of RANGES) {
  test(`the hosts of ${network}`, () => {
    const hosts = range(network);
    assert.deepEqual([hosts.size, hostAt(hosts, 0), hostAt(hosts, size - 1)], [size, first, last]);
  });
}

test('every host is a different address inside its network', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 22, max: 32 }), (base, prefix) => {
      const network = `${base}/${prefix}`;
      const hosts = range(network);
      const within = networkSet([network]);
      const all = Array.from({ length: hosts.size }, (_, index) => hostAt(hosts, index));
      assert.equal(new Set(all).size, hosts.size);
      assert.ok(all.every((address) => isIP(address) === 4 && within(address)));
    }),
    { numRuns: 20 },
  );
});

test('any text gets a verdict, and a network reads its own first and last host', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:./]{0,50}$/)), (text) => {
      const cidr = parseCidr(text);
      if (cidr === undefined) return;
      const hosts = hostRange(cidr);
      const within = networkSet([text]);
      assert.ok(within(hostAt(hosts, 0)) && within(hostAt(hosts, hosts.size - 1)), text);
    }),
    { numRuns: 1000, examples: [['::/0'], ['0.0.0.0/0'], ['fd00::1/128'], ['::ffff:1.2.3.4'], ['::ffff:0:0/96']] },
  );
});

test('membership looks through IPv4 addresses wrapped in IPv6', () => {
  const denied = networkSet(['169.254.0.0/16', 'fe80::/10', '192.0.2.1']);
  for (const ip of ['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1', '192.0.2.1'])
    assert.ok(denied(ip), ip);
  for (const ip of ['169.253.0.1', 'fec0::1', '192.0.2.2', '::169.254.0.1', 'not an address', ''])
    assert.ok(!denied(ip), ip);
  assert.throws(() => networkSet(['10.0.0.0/99']), RangeError);
});

test('which addresses mean one host', () => {
  const unicast = (ip: string) => isUnicast(parseAddress(ip) ?? assert.fail(ip));
  for (const ip of ['1.2.3.4', '127.0.0.1', '::1', '2001:db8::1', '240.0.0.1', '::ffff:10.0.0.1'])
    assert.ok(unicast(ip), ip);
  for (const ip of [
    '0.0.0.0',
    '0.1.2.3',
    '224.0.0.1',
    '239.1.1.1',
    '255.255.255.255',
    '::',
    'ff02::1',
    '::ffff:0.0.0.0',
  ])
    assert.ok(!unicast(ip), ip);
});
