/** The client subnet option: echoed with a scope, malformed ones refused, and what network an asker counts as. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { ask, type Asking, proxy, worldOf, zone } from './dns.fixture.ts';
import { addressNetwork } from './subnet.ts';

const sites = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`site-${i}`, { v4: `192.0.2.${i + 1}` }]));

function withSubnet(data: number[]): Asking {
  return { edns: { options: [{ code: 8, ip: undefined, data: Buffer.from(data) }] } };
}

async function echoed(count: number, data: number[]): Promise<number[] | string | undefined> {
  const got = await ask(worldOf([zone(), proxy({ entries: sites(count) })]), withSubnet(data));
  const option = got?.opt?.options.find(({ code }) => code === 8);
  return option?.data === undefined ? got?.rcode : [...option.data];
}

test('the subnet comes back with the scope that decided the answer', async () => {
  assert.deepEqual(await echoed(2, [0, 1, 24, 0, 203, 0, 113]), [0, 1, 24, 0, 203, 0, 113], 'all sites: scope 0');
  assert.deepEqual(await echoed(9, [0, 1, 24, 0, 203, 0, 113]), [0, 1, 24, 24, 203, 0, 113], 'chosen: its length');
  assert.deepEqual(
    await echoed(9, [0, 1, 32, 0, 203, 0, 113, 9]),
    [0, 1, 32, 24, 203, 0, 113, 9],
    'never finer than /24',
  );
  assert.deepEqual(await echoed(9, [0, 2, 56, 0, 32, 1, 13, 184, 0, 0, 1]), [0, 2, 56, 56, 32, 1, 13, 184, 0, 0, 1]);
  assert.deepEqual(await echoed(9, [0, 1, 0, 0]), [0, 1, 0, 0], 'length 0 asks not to be told apart');
});

test('a malformed subnet is FORMERR, an unknown family is ignored', async () => {
  const bad = {
    'too short': [0, 1, 24],
    'too few bytes': [0, 1, 24, 0, 203, 0],
    'too many bytes': [0, 1, 24, 0, 203, 0, 113, 1],
    'bits beyond the prefix': [0, 1, 23, 0, 203, 0, 113],
    'longer than an address': [0, 1, 33, 0, 203, 0, 113, 1, 1],
    'a scope in a question': [0, 1, 24, 24, 203, 0, 113],
  };
  for (const [why, data] of Object.entries(bad)) assert.equal(await echoed(2, data), 'FORMERR', why);
  assert.equal(await echoed(2, [0, 3, 8, 0, 1]), 'NOERROR');
});

test('the same subnet gets the same addresses; others are spread over the sites', async () => {
  const world = worldOf([zone(), proxy({ entries: sites(20) })]);
  const first = new Map<string, number>();
  for (let i = 0; i < 250; i++) {
    const asking = withSubnet([0, 1, 24, 0, 10, 1, i]);
    const [one, two] = [await ask(world, asking), await ask(world, asking)];
    assert.deepEqual(one?.answers, two?.answers);
    assert.equal(one?.answers?.length, 4);
    const [address] = one.answers;
    assert.ok(address?.type === 'A');
    first.set(address.data, (first.get(address.data) ?? 0) + 1);
  }
  assert.equal(first.size, 20);
  assert.ok(Math.max(...first.values()) < 40, `spread ${[...first.values()].join(' ')}`);
});

test('networks: /24 and /56, and a mapped address is an IPv4 one', () => {
  assert.equal(addressNetwork('192.0.2.77'), '1/c00002');
  assert.equal(addressNetwork('::ffff:192.0.2.77'), '1/c00002');
  assert.equal(addressNetwork('2001:db8:1:2ff::1'), '2/20010db8000102');
  assert.equal(addressNetwork('2001:db8:1:2ff:0:0:0:1'), '2/20010db8000102');
  assert.equal(addressNetwork('fe80::1%eth0'), '2/fe800000000000');
  assert.equal(addressNetwork('::1'), '2/00000000000000');
});
