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
    help: 'DNS questions and connections left without an answer, by reason (not-a-query, rate, busy, connections).',
    labels: ['reason'],
  },
} as const satisfies Record<string, MetricName>;

export type Metric = keyof typeof METRICS;
