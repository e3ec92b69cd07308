import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../test/world/manual-clock.ts';
import { healthReport, NO_TIMES, originFact } from '../../test/world/quiet-health.ts';
import { createMetrics } from '../observe/metrics.ts';
import { Acks } from './acks/acks.ts';
import { CounterBook } from './counters/counter-book.ts';
import { factsOf } from './facts.ts';
import { FACT_METRICS, factsNow } from './metrics.ts';

const ZERO = { connections: 0, active: 0, bytesIn: 0, bytesOut: 0, packetsIn: 0, packetsOut: 0, dropped: {}, ends: {} };

function page() {
  const clock = new ManualClock();
  const facts = factsOf(new Acks(clock), new CounterBook(clock), clock);
  const metrics = createMetrics();
  metrics.show(FACT_METRICS, () => factsNow(facts.read));
  const series = () =>
    metrics
      .render()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
  return { clock, facts, metrics, series };
}

test('each counter of a rule has its series, and what is rare has none until it is counted', () => {
  const { facts, series } = page();
  const counters = {
    ...ZERO,
    rule: 'r',
    connections: 3,
    active: 1,
    bytesIn: 10,
    bytesOut: 20,
    packetsIn: 4,
    packetsOut: 5,
    dropped: { limit: 2, 'a-newer-word': 1 },
    ends: { idle: 2 },
  };
  facts.report.counters({ edge: 'e', epoch: 'x', counters: [counters], gone: [], recordsLost: 7 });
  assert.deepEqual(series(), [
    'edgefour_dns_fail_open 0',
    'edgefour_records_lost_total{edge="e"} 7',
    'edgefour_rule_connections_total{edge="e",rule="r"} 3',
    'edgefour_rule_active{edge="e",rule="r"} 1',
    'edgefour_rule_bytes_total{edge="e",rule="r",direction="in"} 10',
    'edgefour_rule_bytes_total{edge="e",rule="r",direction="out"} 20',
    'edgefour_rule_packets_total{edge="e",rule="r",direction="in"} 4',
    'edgefour_rule_packets_total{edge="e",rule="r",direction="out"} 5',
    'edgefour_rule_dropped_total{edge="e",rule="r",reason="limit"} 2',
    'edgefour_rule_dropped_total{edge="e",rule="r",reason="a-newer-word"} 1',
    'edgefour_rule_ends_total{edge="e",rule="r",cause="idle"} 2',
  ]);
  const rare = { ...ZERO, rule: 'r', unanswered: 0, fastPackets: 6, unrecorded: { sampled: 0, lost: 1 } };
  facts.report.counters({ edge: 'e', epoch: 'x', counters: [rare], gone: [], recordsLost: 0 });
  assert.deepEqual(series().slice(-4), [
    'edgefour_rule_unanswered_total{edge="e",rule="r"} 0',
    'edgefour_rule_fast_packets_total{edge="e",rule="r"} 6',
    'edgefour_rule_unrecorded_total{edge="e",rule="r",reason="sampled"} 0',
    'edgefour_rule_unrecorded_total{edge="e",rule="r",reason="lost"} 1',
  ]);
});

test('an edge is shown with what it failed, and no longer once it is well; silence is seen', async () => {
  const { clock, facts, series } = page();
  const ack = { edge: 'e', site: 's', version: '1', applied: 9, failed: [], placed: [], fresh: true, engines: [] };
  const failed = [{ id: 'r', reason: 'say "no"\n' }];
  facts.report.ack({ ...ack, failed, alarms: ['disk full'], unresolved: [{ id: 'q', names: ['a', 'b'] }] });
  const edge = (up: number, alarms: number) => [
    `edgefour_edge_up{edge="e",site="s"} ${up}`,
    'edgefour_edge_applied_revision{edge="e",site="s"} 9',
    `edgefour_edge_alarms{edge="e",site="s"} ${alarms}`,
  ];
  assert.deepEqual(series(), [
    'edgefour_dns_fail_open 0',
    ...edge(1, 1),
    'edgefour_rule_failed{edge="e",id="r",reason="say \\"no\\"\\n"} 1',
    'edgefour_rule_unresolved_names{edge="e",rule="q"} 2',
  ]);
  facts.report.ack({ ...ack, alarms: [] });
  await clock.advance(7_000);
  assert.deepEqual(series(), ['edgefour_dns_fail_open 1', ...edge(0, 0)]);
});

test('what the program counts itself comes first, each family once with its help', () => {
  const { metrics } = page();
  metrics.add('edgefour_store_conflicts_total', { action: 'A' });
  metrics.add('edgefour_store_conflicts_total', { action: 'A' }, 2);
  metrics.set('edgefour_store_revision', {}, 4);
  assert.equal(
    metrics.render(),
    `# HELP edgefour_store_conflicts_total Handlers run again because a guard did not hold.
# TYPE edgefour_store_conflicts_total counter
edgefour_store_conflicts_total{action="A"} 3
# HELP edgefour_store_revision Revision of the desired state.
# TYPE edgefour_store_revision gauge
edgefour_store_revision 4
# HELP edgefour_dns_fail_open Whether every edge is silent, so that DNS answers the addresses of all of them (1).
# TYPE edgefour_dns_fail_open gauge
edgefour_dns_fail_open 0
`,
  );
});

test('each origin has its series, whatever rules that share it ask; an edge with a rule without any origin is seen', () => {
  const { facts, series } = page();
  const one = originFact('TCP 10.0.0.1:80', { state: 'down', changes: 3 });
  const origins = [
    one,
    { ...one, key: 'k', state: 'up' as const, changes: 2 },
    originFact('TCP 10.0.0.2:80', { group: '', check: '' }),
  ];
  const told = () => series().filter((line) => /^edgefour_origin_(up|changes|fail)/.test(line));
  facts.report.health(healthReport('e', 's', { origins, failOpen: 2 }));
  const labels = [
    'edge="e",group="og",check="lb",origin="TCP 10.0.0.1:80"',
    'edge="e",group="",check="",origin="TCP 10.0.0.2:80"',
  ];
  assert.deepEqual(told(), [
    `edgefour_origin_up{${labels[0]}} 0`,
    `edgefour_origin_up{${labels[1]}} 1`,
    `edgefour_origin_changes_total{${labels[0]}} 5`,
    `edgefour_origin_changes_total{${labels[1]}} 0`,
    'edgefour_origin_fail_open{edge="e"} 1',
  ]);
  const gone = { checks: [], origins: origins.map(({ key }) => key) };
  facts.report.health(healthReport('e', 's', { gone }));
  assert.deepEqual(told(), ['edgefour_origin_fail_open{edge="e"} 0']);
});

test('times of probes and flips are histograms in seconds', () => {
  const { facts, series } = page();
  const times = { ...NO_TIMES, lag: { counts: [3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1], sumMs: 6_250 } };
  facts.report.health(healthReport('e', 's', { times }));
  const lag = series().filter((line) => line.startsWith('edgefour_origin_probe_lag_seconds'));
  const buckets = ['0.001', '0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '5', '+Inf'];
  assert.deepEqual(lag, [
    ...buckets.map(
      (le, i) => `edgefour_origin_probe_lag_seconds_bucket{edge="e",le="${le}"} ${i < 4 ? 3 : i < 10 ? 5 : 6}`,
    ),
    'edgefour_origin_probe_lag_seconds_sum{edge="e"} 6.25',
    'edgefour_origin_probe_lag_seconds_count{edge="e"} 6',
  ]);
});
