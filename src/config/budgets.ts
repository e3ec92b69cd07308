/**
 * Everything that a stranger can make grow, once: how far, and what counts the refusals. `edgefour doctor` and
 * docs/reference/budgets.md are this table printed; who enforces one reads its number here. Pure data.
 */
export interface Budget {
  readonly most: number;
  readonly unit: string;
  /** The bounded thing, and the effect of more of it. */
  readonly help: string;
  /** The metric of refusals where it is not `edgefour_budget_refusals_total{budget="…"}`, in the form of a metric. */
  readonly counted?: string;
}

const KiB = 1 << 10;
const MiB = 1 << 20;

export const BUDGETS = {
  'api-connections': {
    most: 1024,
    unit: 'connections',
    help: 'Connections to the API’s port. Beyond it the oldest that has no call under way is closed, one that never signed first; where all have one, the new one gets `ServiceUnavailable`.',
  },
  'api-connections-per-peer': {
    most: 256,
    unit: 'connections',
    help: 'The same from one IPv4 address or one IPv6 /64; where all have a call under way, the new one gets `RequestLimitExceeded`.',
  },
  'pipelined-calls': {
    most: 64,
    unit: 'calls',
    help: 'Calls that one connection sends without waiting for the answers. It is closed behind the last.',
  },
  'header-bytes': {
    most: 64 * KiB,
    unit: 'bytes',
    help: 'Request line and headers of one call; beyond it `RequestSizeLimitExceeded`.',
  },
  'unverified-bodies': {
    most: 24 * MiB,
    unit: 'bytes',
    help: 'API request bodies in memory that no answer has been given to, all connections together. Beyond it the one that comes slowest is refused with `ServiceUnavailable`.',
  },
  'signed-headers': {
    most: 32,
    unit: 'names',
    help: 'Names in SignedHeaders of one Authorization; beyond it, or where a name comes twice, `AuthFailure.InvalidAuthorization`.',
  },
  'form-parameters': {
    most: 6144,
    unit: 'parameters',
    help: 'Parameters of one query string or form; beyond it `RequestSizeLimitExceeded`.',
  },
  'action-body': {
    most: MiB,
    unit: 'bytes',
    help: 'JSON that an action takes. A call may bring the cloud’s 10 MiB and have its signature checked; no action has a use for more than this, which is `RequestSizeLimitExceeded`.',
  },
  'json-values': {
    most: 20_000,
    unit: 'values',
    help: 'Members and elements in the JSON of one call; beyond it `RequestSizeLimitExceeded`.',
  },
  'json-depth': {
    most: 32,
    unit: 'levels',
    help: 'Levels of objects and lists in the JSON of one call; beyond it `InvalidParameter`.',
  },
  'refusal-log-lines': {
    most: 20,
    unit: 'lines a second',
    help: 'Log lines about refused calls, for calls without a valid signature and for signed ones each. Those beyond it are summed in one line a second.',
  },
  'dns-tcp-connections': {
    most: 256,
    unit: 'connections',
    help: 'Connections of DNS over TCP, some 10 kB each. Beyond it the one that has been idle longest goes, of the network that holds most; where all are being answered, the new one.',
    counted: 'edgefour_dns_dropped_total{reason="connections"}',
  },
  'dns-tcp-connections-per-network': {
    most: 64,
    unit: 'connections',
    help: 'The same from one /24 (IPv6: /56).',
    counted: 'edgefour_dns_dropped_total{reason="connections-of-network"}',
  },
  'dns-udp-questions': {
    most: 1024,
    unit: 'questions',
    help: 'DNS questions over UDP that wait for the store at once. Beyond it they get no answer; askers come again.',
    counted: 'edgefour_dns_dropped_total{reason="busy"}',
  },
  'dns-udp-networks': {
    most: 65_536,
    unit: 'networks',
    help: 'Networks whose DNS answers over UDP are counted within one second, some 10 MB. Those beyond it get truncated answers, which send a real asker to TCP.',
  },
  'descriptors-of-a-source': {
    most: 12.5,
    unit: '% of the descriptors',
    help: 'What one client address (IPv6: /64) may hold of an engine’s descriptors while fewer than as many are free; before that, anything. Beyond it a new connection is reset, and a new UDP session dropped.',
    counted: 'edgefour_rule_ends_total{cause="limit"}, edgefour_rule_dropped_total{reason="limit"}',
  },
  'descriptors-of-a-rule': {
    most: 6.25,
    unit: '% of the descriptors',
    help: 'The same of one rule, where there are others.',
    counted: 'edgefour_rule_ends_total{cause="limit"}, edgefour_rule_dropped_total{reason="limit"}',
  },
} as const satisfies Record<string, Budget>;

export type BudgetName = keyof typeof BUDGETS;

export function budgetCounter(name: string, { counted }: Budget): string {
  return counted ?? `edgefour_budget_refusals_total{budget="${name}"}`;
}
