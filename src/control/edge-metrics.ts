/** What edges reported, as series of /metrics: read from facts at each rendering, so what is gone is not shown. */
import type { Acks } from '../facts/acks.ts';
import type { CounterBook } from '../facts/counters.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Metric } from '../observe/names.ts';

const READ_ANEW: readonly Metric[] = [
  'edgefour_edge_up',
  'edgefour_edge_applied_revision',
  'edgefour_edge_alarms',
  'edgefour_records_lost_total',
  'edgefour_rule_failed',
  'edgefour_rule_unresolved_names',
  'edgefour_rule_connections_total',
  'edgefour_rule_active',
  'edgefour_rule_bytes_total',
  'edgefour_rule_packets_total',
  'edgefour_rule_fast_packets_total',
  'edgefour_rule_dropped_total',
  'edgefour_rule_ends_total',
  'edgefour_rule_unrecorded_total',
  'edgefour_rule_unanswered_total',
];

export function edgeMetrics(metrics: Metrics, acks: Acks, counters: CounterBook): void {
  metrics.collect(() => {
    for (const metric of READ_ANEW) metrics.clear(metric);
    metrics.set('edgefour_dns_fail_open', {}, acks.isSilent ? 1 : 0);
    for (const { id: edge, site, alive, applied, alarms, failed, unresolved } of acks.edges()) {
      metrics.set('edgefour_edge_up', { edge, site }, alive ? 1 : 0);
      metrics.set('edgefour_edge_applied_revision', { edge, site }, applied);
      metrics.set('edgefour_edge_alarms', { edge, site }, alarms.length);
      for (const { id, reason } of failed) metrics.set('edgefour_rule_failed', { edge, id, reason }, 1);
      for (const { id: rule, names } of unresolved)
        metrics.set('edgefour_rule_unresolved_names', { edge, rule }, names.length);
    }
    for (const [edge, lost] of counters.recordsLost()) metrics.set('edgefour_records_lost_total', { edge }, lost);
    for (const { edge, counters: of } of counters.all()) {
      const { rule } = of;
      metrics.set('edgefour_rule_connections_total', { edge, rule }, of.connections);
      metrics.set('edgefour_rule_active', { edge, rule }, of.active);
      metrics.set('edgefour_rule_bytes_total', { edge, rule, direction: 'in' }, of.bytesIn);
      metrics.set('edgefour_rule_bytes_total', { edge, rule, direction: 'out' }, of.bytesOut);
      metrics.set('edgefour_rule_packets_total', { edge, rule, direction: 'in' }, of.packetsIn);
      metrics.set('edgefour_rule_packets_total', { edge, rule, direction: 'out' }, of.packetsOut);
      if (of.unanswered !== undefined) metrics.set('edgefour_rule_unanswered_total', { edge, rule }, of.unanswered);
      if (of.fastPackets !== undefined) metrics.set('edgefour_rule_fast_packets_total', { edge, rule }, of.fastPackets);
      for (const [reason, count] of Object.entries(of.dropped))
        metrics.set('edgefour_rule_dropped_total', { edge, rule, reason }, count);
      for (const [cause, count = 0] of Object.entries(of.ends))
        metrics.set('edgefour_rule_ends_total', { edge, rule, cause }, count);
      for (const [reason, count] of Object.entries(of.unrecorded ?? {}))
        metrics.set('edgefour_rule_unrecorded_total', { edge, rule, reason }, count);
    }
  });
}
