import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../lib/rng.ts';
import type { Site } from '../site/site.ts';
import { addressesOf, entriesWithIpv6, entriesWithoutIpv6, newEntries, type EntryWish } from './entries.ts';

const SITES: readonly Site[] = [
  { id: 'cn', pool: ['10.0.0.1'], areas: ['mainland'] },
  { id: 'eu', pool: ['10.1.0.1', 'fd01::1'], areas: ['overseas'] },
  { id: 'us', pool: ['10.2.0.1'], areas: ['overseas'] },
  { id: 'all', pool: ['10.3.0.1', 'fd03::1'], areas: ['global'] },
];
const nobody = () => ({ count: 0, at: () => undefined });
const wish = (change: Partial<EntryWish>): EntryWish => ({
  area: 'overseas',
  ipv6: 'off',
  staticIp: 'off',
  fits: () => true,
  ...change,
});
const entries = (change: Partial<EntryWish>, sites = SITES) => newEntries(sites, wish(change), nobody, seededRng(1));

test('one address at each site that serves the area', () => {
  assert.deepEqual(entries({ area: 'mainland' }), { cn: { v4: '10.0.0.1' }, all: { v4: '10.3.0.1' } });
  assert.deepEqual(Object.keys(entries({ area: 'overseas' })).sort(), ['all', 'eu', 'us']);
  assert.deepEqual(Object.keys(entries({ area: 'global' })).sort(), ['all', 'cn', 'eu', 'us']);
});

test('IPv6 where a site has it', () => {
  const on = { all: { v4: '10.3.0.1', v6: 'fd03::1' }, eu: { v4: '10.1.0.1', v6: 'fd01::1' }, us: { v4: '10.2.0.1' } };
  const off = { all: { v4: '10.3.0.1' }, eu: { v4: '10.1.0.1' }, us: { v4: '10.2.0.1' } };
  assert.deepEqual(entries({ ipv6: 'on' }), on);
  assert.deepEqual(entriesWithIpv6(off, SITES, wish({ ipv6: 'on' }), nobody, seededRng(1)), on);
  assert.deepEqual(entriesWithIpv6(on, SITES, wish({ ipv6: 'on' }), nobody, seededRng(1)), on);
  assert.deepEqual(entriesWithoutIpv6(on), off);
  assert.deepEqual(addressesOf(on), [
    { site: 'all', ip: '10.3.0.1' },
    { site: 'all', ip: 'fd03::1' },
    { site: 'eu', ip: '10.1.0.1' },
    { site: 'eu', ip: 'fd01::1' },
    { site: 'us', ip: '10.2.0.1' },
  ]);
});

test('a site of IPv6 alone serves instances that want it, and keeps them reachable', () => {
  const sites: Site[] = [{ id: 'six', pool: ['fd00::1'], areas: ['global'] }];
  assert.deepEqual(entries({ ipv6: 'on' }, sites), { six: { v6: 'fd00::1' } });
  assert.deepEqual(entriesWithoutIpv6({ six: { v6: 'fd00::1' } }), { six: { v6: 'fd00::1' } });
});

test('what is lacking is named', () => {
  const taken = { proxies: [{ zone: 'z', name: 'p' }], exclusive: true };
  const full = () => ({ count: 1, at: () => taken });
  const why = (sites: Site[], change: Partial<EntryWish>, claims = nobody as typeof full | typeof nobody) => {
    const outcome = newEntries(sites, wish(change), claims, seededRng(1));
    assert.ok(outcome instanceof Error);
    assert.equal(outcome.code, 'OperationDenied.L4LackOfResources');
    return outcome.detail;
  };
  const site = (...pool: string[]): Site[] => [{ id: 'x', pool, areas: ['overseas'] }];
  assert.equal(why([], {}), 'No site serves the area overseas.');
  assert.equal(why(site('10.0.0.1'), { area: 'mainland' }), 'No site serves the area mainland.');
  assert.equal(why(site(), {}), 'Site x has no entry addresses.');
  assert.equal(why(site('fd00::1'), {}), 'Site x has IPv6 entry addresses only; set Ipv6 to on.');
  assert.match(why(site('10.0.0.1'), {}, full) ?? '', /^No IPv4 entry address is left at site x;/);
  assert.match(why(site('10.0.0.1'), { staticIp: 'on' }, full) ?? '', /^No IPv4 address of its own is left at site x;/);
  assert.match(why(site('fd00::1'), { ipv6: 'on' }, full) ?? '', /^No IPv6 entry address is left at site x;/);
});
