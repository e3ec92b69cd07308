/** Every metric, once: its Prometheus name, kind, help and labels. Adding one: a line here, then emit it. */
export interface MetricName {
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  edgefour_api_requests_total: {
    kind: 'counter',
    help: 'API calls answered, by action and code (OK or the error code).',
    labels: ['action', 'code'],
  },
  edgefour_budget_refusals_total: {
    kind: 'counter',
    help: 'What was refused, closed or left out because a budget was used up, by budget (docs/reference/budgets.md).',
    labels: ['budget'],
  },
  edgefour_store_revision: { kind: 'gauge', help: 'Revision of the desired state.', labels: [] },
  edgefour_store_conflicts_total: {
    kind: 'counter',
    help: 'Handlers run again because a guard did not hold.',
    labels: ['action'],
  },
  edgefour_dns_answers_total: {
    kind: 'counter',
    help: 'DNS answers sent, by transport and response code.',
    labels: ['transport', 'rcode'],
  },
  edgefour_dns_dropped_total: {
    kind: 'counter',
    help: 'DNS questions and connections left without an answer, by reason (not-a-query, rate, busy, connections, connections-of-network).',
    labels: ['reason'],
  },
  edgefour_dns_fail_open: {
    kind: 'gauge',
    help: 'Whether every edge is silent, so that DNS answers the addresses of all of them (1).',
    labels: [],
  },
  edgefour_edge_up: { kind: 'gauge', help: 'Whether the edge is alive (1) or silent (0).', labels: ['edge', 'site'] },
  edgefour_edge_applied_revision: {
    kind: 'gauge',
    help: 'Revision of the desired state that the edge has applied.',
    labels: ['edge', 'site'],
  },
  edgefour_edge_alarms: {
    kind: 'gauge',
    help: 'Things that are wrong with the edge itself; `edgefour status` names them.',
    labels: ['edge', 'site'],
  },
  edgefour_records_lost_total: {
    kind: 'counter',
    help: 'Connection records the edge could not keep since it started.',
    labels: ['edge'],
  },
  edgefour_rule_failed: {
    kind: 'gauge',
    help: 'Rules and instances the edge could not apply, with the reason the system gave.',
    labels: ['edge', 'id', 'reason'],
  },
  edgefour_rule_unresolved_names: {
    kind: 'gauge',
    help: 'Names of origins of the rule that have no address on the edge; connections to it end as no-origin.',
    labels: ['edge', 'rule'],
  },
  edgefour_rule_connections_total: {
    kind: 'counter',
    help: 'TCP connections and UDP sessions so far; upgrades carry the count on.',
    labels: ['edge', 'rule'],
  },
  edgefour_rule_active: { kind: 'gauge', help: 'Connections and sessions open now.', labels: ['edge', 'rule'] },
  edgefour_rule_bytes_total: {
    kind: 'counter',
    help: 'Payload bytes; in = from clients, out = to clients.',
    labels: ['edge', 'rule', 'direction'],
  },
  edgefour_rule_packets_total: {
    kind: 'counter',
    help: 'Datagrams; in = from clients, out = to clients.',
    labels: ['edge', 'rule', 'direction'],
  },
  edgefour_rule_unanswered_total: {
    kind: 'counter',
    help: 'UDP sessions that ended without a datagram from their origin: it is down, or answers from another port.',
    labels: ['edge', 'rule'],
  },
  edgefour_rule_fast_packets_total: {
    kind: 'counter',
    help: 'Of the packets, those that took the fast path of the kernel engine.',
    labels: ['edge', 'rule'],
  },
  edgefour_rule_dropped_total: {
    kind: 'counter',
    help: 'Connections and datagrams given up, by reason; with `wait-` and what for, those that had to wait.',
    labels: ['edge', 'rule', 'reason'],
  },
  edgefour_rule_ends_total: {
    kind: 'counter',
    help: 'How connections and sessions ended, by cause.',
    labels: ['edge', 'rule', 'cause'],
  },
  edgefour_rule_unrecorded_total: {
    kind: 'counter',
    help: 'Connections without a connection record, by reason: sampled (not in the sample) or lost (their end was not heard of).',
    labels: ['edge', 'rule', 'reason'],
  },
} as const satisfies Record<string, MetricName>;

export type Metric = keyof typeof METRICS;
