import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Beat } from '../domain/fact/ack.ts';
import { type HealthReport, TIME_BOUNDS_MS } from '../domain/fact/health.ts';
import type { AckReport, FactReport } from './contract.ts';
import { decodeAck, decodeBeat, decodeFacts, decodeHealth } from './reports.ts';

const ACK: AckReport = {
  edge: 'e1',
  site: 'paris',
  version: '1.0',
  world: 'w',
  applied: 7,
  failed: [{ id: 'rule-1', reason: 'address in use' }],
  placed: [{ rule: 'rule-2', engine: 'node', why: 'first choice' }],
  fresh: true,
  engines: [{ name: 'node' }, { name: 'uring', unavailable: 'no io_uring' }],
  alarms: [],
};
const BEAT: Beat = { edge: 'e1', site: 'paris', version: '1.0' };
const end = { address: '192.0.2.1', port: 443 };
const FACTS: FactReport = {
  edge: 'e1',
  at: 1,
  epoch: 'x',
  counters: [
    {
      rule: 'rule-1',
      connections: 1,
      active: 0,
      bytesIn: 1,
      bytesOut: 2,
      packetsIn: 0,
      packetsOut: 0,
      dropped: { limit: 1 },
      ends: { idle: 1 },
    },
  ],
  gone: ['rule-9'],
  records: [
    {
      id: 'c',
      rule: 'rule-1',
      proxy: 'sid-1',
      protocol: 'TCP',
      client: end,
      entry: end,
      startedAt: 1,
      at: 2,
      bytesIn: 1,
      bytesOut: 1,
      end: 'idle',
    },
  ],
  recordsLost: 0,
};
const CHECK = { owner: 'lb-1', group: 'og-1', host: 'o.example', address: '192.0.2.9', check: 'TCP x' };
const TIMES = { counts: [...TIME_BOUNDS_MS.keys(), 0], sumMs: 1.5 };
const HEALTH: HealthReport = {
  edge: 'e1',
  site: 'paris',
  checks: [{ ...CHECK, verdict: 'unhealthy', reason: 'refused' }],
  origins: [
    {
      key: 'k',
      zone: 'zone-a',
      origin: 'TCP 192.0.2.9:443',
      host: 'o.example',
      group: 'og-1',
      check: 'lb-1',
      passive: true,
      slowStartSeconds: 0,
      state: 'down',
      since: 1,
      by: 'fleet',
      reason: 'refused',
      changes: 1,
      rules: 2,
      dials: 3,
      probe: { p50Ms: 0.2, p99Ms: 1, tries: 9 },
    },
  ],
  gone: { checks: [CHECK], origins: ['k2'] },
  failOpen: 0,
  times: { probe: TIMES, lag: TIMES, flip: TIMES },
};
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

test('reports are read as they were written', () => {
  assert.deepEqual(decodeAck(bytes(ACK)), ACK);
  assert.deepEqual(decodeFacts(bytes(FACTS)), FACTS);
  assert.deepEqual(decodeAck(bytes({ ...ACK, news: 1 })), { ...ACK, news: 1 });
  assert.deepEqual(decodeAck(bytes({ ...ACK, lost: ['192.0.2.1'] })), { ...ACK, lost: ['192.0.2.1'] });
  assert.deepEqual(decodeBeat(bytes(BEAT)), BEAT);
});

test('a report without a field, or with one of another form, is refused', () => {
  for (const [report, decode] of [
    [ACK, decodeAck] as const,
    [BEAT, decodeBeat] as const,
    [FACTS, decodeFacts] as const,
    [HEALTH, decodeHealth] as const,
  ])
    for (const name of Object.keys(report))
      for (const value of [undefined, null, -1, { odd: 1 }, [{ odd: [1] }]])
        assert.ok('bad' in decode(bytes({ ...report, [name]: value })), `${name} ${JSON.stringify(value)}`);
});

test('no bytes make it throw', () => {
  const any = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(any, (body) => {
      for (const decode of [decodeAck, decodeBeat, decodeFacts, decodeHealth]) decode(body);
    }),
  );
});

test('names that do not resolve are told, or not told at all', () => {
  const told = { ...ACK, unresolved: [{ id: 'rule-3', names: ['o.example'] }] };
  assert.deepEqual(decodeAck(bytes(told)), told);
  for (const unresolved of [{}, [{ id: 'rule-3' }], [{ id: 'rule-3', names: [7] }]])
    assert.ok('bad' in decodeAck(bytes({ ...ACK, unresolved })), JSON.stringify(unresolved));
});

test('a report of health is read as it was written, and each of its texts and numbers is bounded', () => {
  const whole = { ...HEALTH, whole: { part: 0, isLast: true } };
  for (const report of [HEALTH, whole]) assert.deepEqual(decodeHealth(bytes(report)), report);
  const [check] = HEALTH.checks;
  const [origin] = HEALTH.origins;
  const long = 'x'.repeat(513);
  const { times } = HEALTH;
  const bad: readonly object[] = [
    { whole: {} },
    { whole: { part: -1, isLast: true } },
    ...Object.keys(check!).map((name) => ({ checks: [{ ...check, [name]: long }] })),
    ...Object.keys(CHECK).map((name) => ({ gone: { checks: [{ ...CHECK, [name]: 7 }], origins: [] } })),
    ...Object.keys(origin!).map((name) => ({ origins: [{ ...origin, [name]: long }] })),
    { origins: [{ ...origin, state: 'gone' }] },
    { origins: [{ ...origin, by: 'chance' }] },
    { origins: [{ ...origin, probe: { ...origin?.probe, p99Ms: -1 } }] },
    { times: { ...times, lag: { ...times.lag, counts: [1] } } },
    { times: { ...times, flip: undefined } },
  ];
  for (const change of bad) assert.ok('bad' in decodeHealth(bytes({ ...HEALTH, ...change })), JSON.stringify(change));
});

test('a report of health with any byte changed is refused, or has the right form', () => {
  const valid = bytes({ ...HEALTH, whole: { part: 0, isLast: false } });
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
      const body = Buffer.from(valid);
      body[at] = byte;
      const report = decodeHealth(body);
      if ('bad' in report) return;
      assert.ok(report.checks.every(({ verdict }) => ['healthy', 'unhealthy', 'unknown'].includes(verdict)));
      assert.ok(report.origins.every(({ state, changes }) => ['up', 'down', 'try'].includes(state) && changes >= 0));
      assert.equal(report.times.flip.counts.length, TIME_BOUNDS_MS.length + 1);
    }),
    { numRuns: 3_000 },
  );
});
