/** What an asker gets, case by case (T40), with dns-packet as the second opinion on every byte. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import type { RecordType } from 'dns-packet';
import { silentLog } from '../../observe/log.ts';
import { ask, type Asking, dataOf, decoded, DOMAIN, MYPROXY, proxy, question, worldOf, zone } from './dns.fixture.ts';
import { writeReply } from './reply.ts';
import { respond } from './respond.ts';

const world = worldOf([zone(), proxy({ ipv6: 'on' })]);

async function short(asking: Asking): Promise<string> {
  const got = await ask(world, asking);
  assert.ok(got);
  const data = (got.answers ?? []).map((record) => `${record.type} ${dataOf(record)}`);
  const authority = (got.authorities ?? []).map((record) => record.type);
  return [got.rcode, got.flag_aa ? 'aa' : '-', ...data, ...authority].join(' ');
}

test('answers each type of each name, NODATA and NXDOMAIN with the SOA', async () => {
  const cases: [string, RecordType | 'ANY', string][] = [
    [MYPROXY, 'A', 'NOERROR aa A 127.44.0.1'],
    [MYPROXY, 'AAAA', 'NOERROR aa AAAA 2001:db8::1'],
    [MYPROXY, 'TXT', 'NOERROR aa TXT id=sid-3kq7it9slfmc'],
    [MYPROXY, 'MX', 'NOERROR aa SOA'],
    [MYPROXY, 'NS', 'NOERROR aa SOA'],
    [MYPROXY, 'CAA', 'NOERROR aa SOA'],
    [`nobody.3kq782jghthh.${DOMAIN}`, 'A', 'NXDOMAIN aa SOA'],
    [`below.${MYPROXY}`, 'A', 'NXDOMAIN aa SOA'],
    [`myproxy.otherzone.${DOMAIN}`, 'A', 'NXDOMAIN aa SOA'],
    [`3kq782jghthh.${DOMAIN}`, 'A', 'NOERROR aa SOA'],
    [`my_proxy.3kq782jghthh.${DOMAIN}`, 'A', 'NXDOMAIN aa SOA'],
    [DOMAIN, 'NS', `NOERROR aa NS ns.${DOMAIN}`],
    [DOMAIN, 'A', 'NOERROR aa SOA'],
    [`ns.${DOMAIN}`, 'A', 'NOERROR aa A 192.0.2.53'],
    [`ns.${DOMAIN}`, 'AAAA', 'NOERROR aa SOA'],
    ['example.com', 'A', 'REFUSED -'],
    ['.', 'NS', 'REFUSED -'],
    ['test', 'SOA', 'REFUSED -'],
    [`${DOMAIN}.example.com`, 'A', 'REFUSED -'],
    [DOMAIN, 'AXFR', 'REFUSED -'],
    [DOMAIN, 'IXFR', 'REFUSED -'],
  ];
  for (const [name, type, wanted] of cases) {
    assert.equal(await short({ name, type }), wanted, `${name} ${type}`);
  }
});

test('ANY gets one small record, whatever the name has', async () => {
  const got = await ask(world, { type: 'ANY' });
  assert.deepEqual(
    got?.answers?.map((record) => record.type),
    ['HINFO'],
  );
  assert.equal((await ask(world, { name: `nobody.${DOMAIN}`, type: 'ANY' }))?.rcode, 'NXDOMAIN');
});

test('the SOA has the revision as serial and a short negative TTL', async () => {
  const got = await ask(world, { name: DOMAIN, type: 'SOA' });
  const [soa] = got?.answers ?? [];
  assert.ok(soa?.type === 'SOA');
  assert.deepEqual([soa.data.serial, soa.data.minimum, soa.data.mname], [7, 5, `ns.${DOMAIN}`]);
  assert.equal(soa.data.rname, `hostmaster.${DOMAIN}`);
  const [address] = (await ask(world))?.answers ?? [];
  assert.ok(address?.type === 'A');
  assert.equal(address.ttl, 30);
});

test('the question comes back bit for bit: case, and bytes that are no text', async () => {
  const mixed = question({ name: `MyPrOxY.3kQ782jghthh.EdgeFour.TEST` });
  const got = await ask(world, mixed);
  assert.equal(got?.rcode, 'NOERROR');
  assert.deepEqual(got.bytes.subarray(12, mixed.length), mixed.subarray(12));
  assert.equal(got.answers?.[0]?.name, 'MyPrOxY.3kQ782jghthh.EdgeFour.TEST');

  const odd = question({ name: 'ab.example' });
  odd[13] = 0xff;
  odd[14] = 0x2e;
  const refused = await ask(world, odd);
  assert.equal(refused?.rcode, 'REFUSED');
  assert.deepEqual(refused.bytes.subarray(12), odd.subarray(12));
});

test('flags: RD is copied, RA never set, opcodes and classes of others are refused', async () => {
  const got = await ask(world);
  assert.deepEqual([got?.flag_qr, got?.flag_rd, got?.flag_ra, got?.flag_tc, got?.id], [true, true, false, false, 4711]);
  const notify = question();
  notify.writeUInt16BE((4 << 11) | 0x0400, 2);
  assert.equal((await ask(world, notify))?.rcode, 'NOTIMP');
  const chaos = question({ packet: { questions: [{ name: DOMAIN, type: 'TXT', class: 'CH' }] } });
  assert.equal((await ask(world, chaos))?.rcode, 'REFUSED');
});

test('EDNS: our size, the DO bit, BADVERS for versions to come, FORMERR for two OPT records', async () => {
  const got = await ask(world, { edns: { flags: 0x8000 } });
  assert.deepEqual([got?.opt?.udpPayloadSize, got?.opt?.ednsVersion, got?.opt?.flag_do], [1232, 0, true]);
  assert.equal((await ask(world, {}))?.opt, undefined);
  const future = await ask(world, { edns: { ednsVersion: 1 } });
  assert.deepEqual([future?.rcode, future?.opt?.ednsVersion, future?.answers?.length], ['RCODE_16', 0, 0]);
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 512, extendedRcode: 0, ednsVersion: 0, flags: 0 } as const;
  const twice = question({ packet: { additionals: [1, 2].map(() => ({ ...opt, flag_do: false, options: [] })) } });
  assert.equal((await ask(world, twice))?.rcode, 'FORMERR');
});

test('what is no question: FORMERR where there is an id to answer to, else silence', async () => {
  assert.equal(await ask(world, question().subarray(0, 11)), undefined);
  const answerItself = question();
  answerItself.writeUInt16BE(0x8100, 2);
  assert.equal(await ask(world, answerItself), undefined);
  for (const count of [0, 2, 65_535]) {
    const bytes = question();
    bytes.writeUInt16BE(count, 4);
    assert.equal((await ask(world, bytes))?.rcode, 'FORMERR', `${count} questions`);
  }
  const pointer = Buffer.concat([question().subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])]);
  assert.equal((await ask(world, pointer))?.rcode, 'FORMERR');
  assert.equal((await ask(world, question().subarray(0, 30)))?.rcode, 'FORMERR');
});

test('an answer that does not fit is truncated, and whole over TCP', async () => {
  const name = `${'long-'.repeat(9)}proxy.3kq782jghthh.${DOMAIN}`;
  const entries = Object.fromEntries(['a', 'b', 'c', 'd'].map((site, i) => [site, { v6: `2001:db8::${i + 1}` }]));
  const many = worldOf([zone(), proxy({ name: name.split('.')[0]!, ipv6: 'on', entries })]);
  const plain = await ask(many, { name, type: 'AAAA' });
  assert.deepEqual([plain?.flag_tc, plain?.answers?.length, plain?.rcode], [true, 0, 'NOERROR']);
  const roomy = await ask(many, { name, type: 'AAAA', edns: { udpPayloadSize: 1232 } });
  assert.deepEqual([roomy?.flag_tc, roomy?.answers?.length], [false, 4]);
  const tcp = await ask(many, { name, type: 'AAAA' }, 'tcp');
  assert.deepEqual([tcp?.flag_tc, tcp?.answers?.length], [false, 4]);
});

test('a store that fails is SERVFAIL, not silence', async () => {
  const failing = { domain: DOMAIN, lookup: () => Promise.reject(new Error('disk gone')) };
  const exchange = await respond(question(), '198.51.100.7', failing, silentLog);
  assert.ok(exchange);
  assert.equal(decoded(writeReply(exchange.query, exchange.reply, 'udp')).rcode, 'SERVFAIL');
});
