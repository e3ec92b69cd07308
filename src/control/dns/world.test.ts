/** Which addresses a name leads to as its instance, its zone and the sites change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import { THIS_WRITE } from '../../domain/stamp.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLog } from '../../observe/log.ts';
import { keys } from '../../store/records.ts';
import { openStore } from '../../store/registry.ts';
import type { Change } from '../../store/store.ts';
import { ask, dataOf, DOMAIN, MYPROXY, proxy, worldOf, ZONE, zone } from './dns.fixture.ts';
import { nearest } from './nearest.ts';
import { recordWorld } from './world.ts';

async function addresses(records: readonly (Zone | L4Proxy)[], dead: string[] = [], type: 'A' | 'AAAA' = 'A') {
  const got = await ask(
    worldOf(records, (site) => !dead.includes(site)),
    { name: MYPROXY, type },
  );
  const found = (got?.answers ?? []).map(dataOf);
  return [got?.rcode, ...found.sort()].join(' ');
}

const two = { fra: { v4: '192.0.2.1', v6: '2001:db8::1' }, sin: { v4: '192.0.2.2' } };

test('an instance that is off is NODATA, a deleted one NXDOMAIN', async () => {
  assert.equal(await addresses([zone(), proxy()]), 'NOERROR 127.44.0.1');
  assert.equal(await addresses([zone(), proxy({ want: 'offline' })]), 'NOERROR');
  assert.equal(await addresses([zone(), proxy({ banned: true })]), 'NOERROR');
  assert.equal(await addresses([zone({ paused: true }), proxy()]), 'NOERROR');
  assert.equal(await addresses([zone()]), 'NXDOMAIN');
  assert.equal(await addresses([]), 'NXDOMAIN');
});

test('a dead site leaves the answer at once; when all look dead, all stay', async () => {
  const records = [zone(), proxy({ entries: two })];
  assert.equal(await addresses(records), 'NOERROR 192.0.2.1 192.0.2.2');
  assert.equal(await addresses(records, ['fra']), 'NOERROR 192.0.2.2');
  assert.equal(await addresses(records, ['fra', 'sin']), 'NOERROR 192.0.2.1 192.0.2.2');
});

test('an address that has left its site is never answered, not even the last one', async () => {
  const left = async (...gone: string[]) => {
    const isLost = (site: string, address: string) => gone.includes(`${site} ${address}`);
    const world = worldOf([zone(), proxy({ entries: two })], () => false, isLost);
    const got = await ask(world, { name: MYPROXY });
    return [got?.rcode, ...(got?.answers ?? []).map(dataOf).sort()].join(' ');
  };
  assert.equal(await left('fra 192.0.2.2'), 'NOERROR 192.0.2.1 192.0.2.2');
  assert.equal(await left('fra 192.0.2.1'), 'NOERROR 192.0.2.2');
  assert.equal(await left('fra 192.0.2.1', 'sin 192.0.2.2'), 'NOERROR');
});

test('IPv6 only when it is on, and not at a dead site while another one lives', async () => {
  assert.equal(await addresses([zone(), proxy({ entries: two })], [], 'AAAA'), 'NOERROR');
  const on = [zone(), proxy({ entries: two, ipv6: 'on' })];
  assert.equal(await addresses(on, [], 'AAAA'), 'NOERROR 2001:db8::1');
  assert.equal(await addresses(on, ['fra'], 'AAAA'), 'NOERROR');
});

test('a question costs two reads by key, however big the world', async () => {
  const many = Array.from({ length: 1000 }, (_, i) => proxy({ name: `p${i}` }));
  const world = worldOf([zone(), ...many]);
  await ask(world, { name: 'p777.3kq782jghthh.edgefour.test' });
  assert.equal(world.reads, 2);
});

test('an answered write is in the next answer', async (t) => {
  const store = await openStore('memory:', { clock: systemClock, log: silentLog });
  t.after(() => store.close());
  const world = recordWorld({ store, domain: DOMAIN, nameServer: '0.0.0.0', serves: () => true, isLost: () => false });
  const key = keys.proxy(ZONE, 'myproxy');
  const serials: (number | undefined)[] = [];
  async function after(change: Change): Promise<string> {
    assert.ok((await store.commit([change], [])).ok);
    const got = await ask(world, { name: MYPROXY });
    const [soa] = (await ask(world, { name: DOMAIN, type: 'SOA' }))?.answers ?? [];
    if (soa?.type === 'SOA') serials.push(soa.data.serial);
    return [got?.rcode, ...(got?.answers ?? []).map(dataOf)].join(' ');
  }
  assert.equal(await after({ key: keys.zone(ZONE), value: zone() }), 'NXDOMAIN');
  assert.equal(await after({ key, value: proxy({ changed: THIS_WRITE }) }), 'NOERROR 127.44.0.1');
  assert.equal(await after({ key, value: proxy({ want: 'offline' }) }), 'NOERROR');
  assert.equal(await after({ key, value: undefined }), 'NXDOMAIN');
  assert.deepEqual(serials, [1, 2, 3, 4]);
});

test('a site that goes moves only the askers it served', () => {
  const sites = Array.from({ length: 10 }, (_, i) => `site-${i}`);
  const gone = sites.filter((site) => site !== 'site-3');
  for (let i = 0; i < 500; i++) {
    const [before] = nearest(sites, `asker-${i}`);
    const [after] = nearest(gone, `asker-${i}`);
    if (before !== 'site-3') assert.equal(after, before);
  }
});
