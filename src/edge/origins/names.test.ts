import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { seededRng } from '../../lib/rng.ts';
import { createLog } from '../../observe/log.ts';
import type { Answer } from './lookup.ts';
import { OriginNames } from './names.ts';

/** What a DNS server would say; undefined: it does not answer. */
function names(remembered: Record<string, string[]> = {}) {
  const clock = new ManualClock();
  const dns = new Map<string, Answer>();
  const asked: string[] = [];
  const lines: string[] = [];
  const changed: string[] = [];
  const log = createLog({ level: 'info', format: 'text', clock, write: (line) => lines.push(line.slice(13).trim()) });
  const made = new OriginNames({
    clock,
    log,
    rng: seededRng(1),
    file: { remembered: new Map(Object.entries(remembered)), save() {} },
    async lookup(name) {
      asked.push(name);
      const answer = dns.get(name);
      if (!answer) throw new Error('ENOTFOUND');
      return answer;
    },
  });
  made.changed.listen((owners) => changed.push([...owners].toSorted().join()));
  const say = (name: string, addresses: string[], ttlSeconds = 60) => dns.set(name, { addresses, ttlSeconds });
  return { clock, dns, asked, lines, changed, made, say };
}

test('follows the TTL, between its floor and its ceiling', async () => {
  const { clock, asked, made, say } = names();
  say('short.example', ['198.51.100.1'], 0);
  say('fit.example', ['198.51.100.1'], 30);
  say('long.example', ['198.51.100.1'], 86_400);
  made.use('r', ['short.example', 'fit.example', 'long.example']);
  await clock.advance(0);
  asked.length = 0;
  await clock.advance(300_000);
  const times = (name: string) => asked.filter((one) => one === name).length;
  assert.deepEqual([times('short.example'), times('fit.example'), times('long.example')], [60, 10, 1]);
});

test('a change is told once, to those who use the name; another order is no change', async () => {
  const { clock, changed, lines, made, say } = names();
  say('a.example', ['198.51.100.2', '198.51.100.1']);
  made.use('r1', ['a.example']);
  made.use('r2', ['a.example', 'b.example']);
  await clock.advance(0);
  assert.deepEqual([changed, made.addresses('a.example')], [['r1,r2'], ['198.51.100.1', '198.51.100.2']]);
  say('a.example', ['198.51.100.1', '198.51.100.2']);
  await clock.advance(60_000);
  assert.equal(changed.length, 1);
  say('a.example', ['198.51.100.3']);
  await clock.advance(60_000);
  assert.deepEqual([changed.length, made.addresses('a.example')], [2, ['198.51.100.3']]);
  assert.match(lines.join('\n'), /has other addresses name=a\.example before=.*100\.1.* addresses=.*100\.3/);
});

test('the last good answer is kept when DNS fails, said once, and asked for again soon', async () => {
  const { clock, asked, dns, lines, made, say } = names();
  say('a.example', ['198.51.100.1'], 30);
  made.use('r', ['a.example']);
  await clock.advance(0);
  dns.clear();
  await clock.advance(600_000);
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.1']);
  const complaints = lines.filter((line) => /does not resolve/.test(line));
  assert.equal(complaints.length, 1);
  assert.match(complaints[0] ?? '', /reason=ENOTFOUND kept=\["198\.51\.100\.1"\]/);
  assert.ok(asked.length > 20 && asked.length < 100, `${asked.length}`);
  say('a.example', ['198.51.100.9']);
  await clock.advance(30_000);
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.9']);
  assert.match(lines.join('\n'), /resolves again/);
});

test('what an earlier run knew is used at once and asked again', async () => {
  const { clock, made, say } = names({ 'a.example': ['198.51.100.1'] });
  made.use('r', ['a.example']);
  await made.answered('r', 1_000);
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.1']);
  say('a.example', ['198.51.100.2']);
  await clock.advance(2_000);
  const kept = { 'a.example': ['198.51.100.2'], 'left a.example': ['198.51.100.1'] };
  assert.deepEqual(made.remembered(), kept);
  const next = names(kept);
  next.made.use('r', ['a.example']);
  assert.deepEqual(next.made.former('a.example'), ['198.51.100.1']);
});

test('a name nobody uses any more is forgotten and asked for no more', async () => {
  const { clock, asked, made, say } = names();
  say('a.example', ['198.51.100.1'], 5);
  made.use('r1', ['a.example']);
  made.use('r2', ['a.example']);
  await clock.advance(10_000);
  made.use('r1', []);
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.1']);
  made.use('r2', ['b.example']);
  made.use('r2', []);
  // The question that was on its way.
  await clock.advance(0);
  const before = asked.length;
  await clock.advance(60_000);
  assert.deepEqual([asked.length, clock.waiting, made.addresses('a.example')], [before, 0, []]);
});

test('waiting for names ends with their answers, their failures, or the time', async () => {
  const { clock, made, say } = names();
  say('a.example', ['198.51.100.1']);
  made.use('r', ['a.example', 'gone.example']);
  await made.answered('r', 1_000_000);
  await made.answered('nobody', 1_000_000);
  assert.deepEqual([made.addresses('a.example').length, made.addresses('gone.example').length], [1, 0]);
  await clock.advance(0);
});

test('F2: a family whose question failed keeps its addresses, is asked again soon, and is told of once', async () => {
  const { clock, asked, dns, lines, made, say } = names();
  say('a.example', ['198.51.100.1', '2001:db8::1'], 300);
  made.use('r', ['a.example']);
  await clock.advance(0);
  dns.set('a.example', { addresses: ['2001:db8::2'], ttlSeconds: 300, failed: [4] });
  await clock.advance(300_000);
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.1', '2001:db8::2']);
  asked.length = 0;
  await clock.advance(120_000);
  assert.ok(asked.length >= 4, `${asked.length}`);
  assert.equal(
    lines.filter((line) => /one family only.*failed=\["IPv4"\] kept=\["198\.51\.100\.1"\]/.test(line)).length,
    1,
  );
  // Answered, and there is none: it is gone.
  say('a.example', ['2001:db8::2'], 300);
  await clock.advance(30_000);
  assert.deepEqual(made.addresses('a.example'), ['2001:db8::2']);
});

test('F2: half an answer at the first look-up serves, and the rest comes within seconds; so after a restart', async () => {
  const { clock, dns, made, say } = names({ 'b.example': ['198.51.100.1', '2001:db8::1'] });
  dns.set('a.example', { addresses: ['2001:db8::2'], ttlSeconds: 300, failed: [4] });
  dns.set('b.example', { addresses: [], ttlSeconds: 300, failed: [4] });
  made.use('r', ['a.example', 'b.example']);
  await clock.advance(0);
  assert.deepEqual(made.addresses('a.example'), ['2001:db8::2']);
  // There is no IPv6 address, of IPv4 nothing is known but what was.
  assert.deepEqual(made.addresses('b.example'), ['198.51.100.1']);
  say('a.example', ['198.51.100.2', '2001:db8::2'], 300);
  await clock.advance(3_000);
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.2', '2001:db8::2']);
});

test('C6: what a name said once is remembered for what is open there, as far as it is not too much', async () => {
  const { clock, made, say } = names();
  const addresses = Array.from({ length: 80 }, (_, i) => `198.51.100.${i + 1}`);
  made.use('r', ['a.example']);
  for (const address of addresses) {
    say('a.example', [address], 5);
    await clock.advance(30_000);
  }
  assert.deepEqual(made.addresses('a.example'), ['198.51.100.80']);
  assert.deepEqual(made.former('a.example'), addresses.slice(15, 79));
  say('a.example', ['198.51.100.79'], 5);
  await clock.advance(5_000);
  assert.deepEqual(made.former('a.example').slice(-2), ['198.51.100.78', '198.51.100.80']);
  made.use('r', []);
  assert.deepEqual(made.former('a.example'), []);
});
