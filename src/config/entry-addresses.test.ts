/** What may be an entry address. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entryAddresses } from './entry-addresses.ts';
import { readConfig } from './read.ts';
import { Usage } from './usage.ts';

const read = entryAddresses(() => ['127.0.0.1/8', '192.168.1.7/24', '198.51.100.1/31', '203.0.113.9/32']);

test('networks and addresses of hosts, of both families', () => {
  for (const good of [
    '127.44.0.0/16',
    '127.0.0.1',
    '192.168.1.7, 192.168.1.9',
    '192.168.1.0/24',
    '192.168.1.128/25',
    '198.51.100.0/31',
    '203.0.113.9',
    '10.0.0.0/8 fd00::/64',
    '2001:db8::1',
    '::1',
    '254.1.1.1',
  ])
    assert.deepEqual(read(good), good.split(/[\s,]+/));
});

test('what nobody can connect to, or does not say what it means, is refused with what to write', () => {
  const rows: readonly [value: string, reason: RegExp][] = [
    ['224.0.0.9', /224\.0\.0\.0\/4 is multicast/],
    ['192.0.0.0/2', /224\.0\.0\.0\/4 is multicast|127\./],
    ['ff02::1', /ff00::\/8 is multicast/],
    ['255.255.255.255', /255\.255\.255\.255 is broadcast/],
    ['255.255.255.0/24', /255\.255\.255\.255 is broadcast/],
    ['0.0.0.0', /0\.0\.0\.0\/8 is no address of a host/],
    ['0.0.0.0/0', /is no address of a host/],
    ['::', /:: is no address of a host/],
    ['::/0', /is no address of a host/],
    [
      '127.0.0.1,192.168.1.255',
      /192\.168\.1\.255 is the broadcast address of this machine's network 192\.168\.1\.0\/24/,
    ],
    ['192.168.1.254/31', /192\.168\.1\.255 is the broadcast address/],
    ['192.168.0.0/22', /192\.168\.1\.255 is the broadcast address/],
    ['192.168.1.7/24', /write 192\.168\.1\.0\/24 for the network, or 192\.168\.1\.7 for the one address/],
    ['fd00::5/64', /write fd00::\/64 for the network, or fd00::5 for the one address/],
    ['::ffff:10.0.0.1', /write them as IPv4/],
    ['10.0.0.1:80', /not an address or network/],
    ['host.test', /not an address or network/],
  ];
  for (const [value, reason] of rows) assert.throws(() => read(value), reason, value);
});

test('one line, with the name of the setting', () => {
  const up = (...args: string[]) => readConfig(args, ['up'], {}, {});
  assert.throws(
    () => up('--addresses', '224.0.0.9'),
    (error: unknown) => {
      assert.ok(error instanceof Usage);
      assert.equal(error.message, '--addresses "224.0.0.9" holds 224.0.0.9, of which 224.0.0.0/4 is multicast.');
      return true;
    },
  );
});
