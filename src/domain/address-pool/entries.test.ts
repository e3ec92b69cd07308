import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '../../lib/rng.ts';
import type { Site } from '../site/site.ts';
import { Fault } from '../../faults/fault.ts';
import { addressesOf, entriesFor, type EntryWish } from './entries.ts';

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
  ifNone: 'refuse',
  ...change,
});
const entries = (change: Partial<EntryWish>, sites = SITES, kept = {}) =>
  entriesFor(kept, sites, wish(change), nobody, seededRng(1));

test('one address at each site that serves the area', () => {
  assert.deepEqual(entries({ area: 'mainland' }), { cn: { v4: '10.0.0.1' }, all: { v4: '10.3.0.1' } });
  assert.deepEqual(Object.keys(entries({ area: 'overseas' })).sort(), ['all', 'eu', 'us']);
  assert.deepEqual(Object.keys(entries({ area: 'global' })).sort(), ['all', 'cn', 'eu', 'us']);
});

test('IPv6 where a site has it', () => {
  const on = { all: { v4: '10.3.0.1', v6: 'fd03::1' }, eu: { v4: '10.1.0.1', v6: 'fd01::1' }, us: { v4: '10.2.0.1' } };
  const off = { all: { v4: '10.3.0.1' }, eu: { v4: '10.1.0.1' }, us: { v4: '10.2.0.1' } };
  assert.deepEqual(entries({ ipv6: 'on' }), on);
  assert.deepEqual(entries({ ipv6: 'on' }, SITES, off), on);
  assert.deepEqual(entries({ ipv6: 'on' }, SITES, on), on);
  assert.deepEqual(entries({}, SITES, on), off);
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
  assert.deepEqual(entries({}, sites, { six: { v6: 'fd00::1' } }), { six: { v6: 'fd00::1' } });
});

test('an address stays while its site has it in the pool; what came since is added, what went is left out', () => {
  const kept = { gone: { v4: '10.9.0.1' }, us: { v4: '10.2.9.9' }, eu: { v4: '10.1.0.7' } };
  const sites: Site[] = [
    { id: 'eu', pool: ['10.1.0.0/24'], areas: ['overseas'] },
    { id: 'us', pool: ['10.2.0.1'], areas: ['overseas'] },
    { id: 'new', pool: ['10.4.0.1'], areas: ['overseas'] },
  ];
  const expected = { eu: { v4: '10.1.0.7' }, us: { v4: '10.2.0.1' }, new: { v4: '10.4.0.1' } };
  assert.deepEqual(entries({}, sites, kept), expected);
  const empty: Site = { id: 'empty', pool: [], areas: ['overseas'] };
  assert.ok(entries({}, [...sites, empty], kept) instanceof Fault);
  assert.deepEqual(entries({ ifNone: 'skip' }, [...sites, empty], kept), expected);
  assert.ok(entries({ ifNone: 'skip' }, [empty], kept) instanceof Fault);
});

test('what is lacking is named', () => {
  const taken = { proxies: [{ zone: 'z', name: 'p' }], exclusive: true };
  const full = () => ({ count: 1, at: () => taken });
  const why = (sites: Site[], change: Partial<EntryWish>, claims = nobody as typeof full | typeof nobody) => {
    const outcome = entriesFor({}, sites, wish(change), claims, seededRng(1));
    assert.ok(outcome instanceof Fault);
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
