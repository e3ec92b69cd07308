/**
 * The metrics that this program counts itself, once each: Prometheus name, kind, help and labels. Adding one: a row here, then
 * count it where it happens. Metrics of edges and rules are read from facts, so their rows are in facts/metrics.ts.
 */
export interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
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
} as const satisfies Readonly<Record<string, MetricRow>>;

export type Metric = keyof typeof METRICS;
