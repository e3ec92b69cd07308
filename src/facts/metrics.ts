/**
 * The metrics that are read from facts, each with its reader: Prometheus name, kind, help, labels and how its series follow from
 * what edges reported. Read at each rendering, so what is gone is not shown. Adding one: a row here. Rendered by observe/metrics.ts
 * for control's /metrics.
 */
import type { CounterName, CountersOfRule } from '../domain/fact/fact.ts';
import { type HealthTimes, TIME_BOUNDS_MS } from '../domain/fact/health.ts';
import type { ReadMetric, Sample } from '../observe/metrics.ts';
import type { EdgeFact, FactReader, FoundOrigin, OriginReader } from './readers.ts';

/** Origins that no label tells apart: rules may differ in how they watch one. */
interface OriginSum {
  readonly labels: Readonly<Record<'edge' | 'group' | 'check' | 'origin', string>>;
  isUp: boolean;
  changes: number;
}

/** Facts at one moment, so that all rows of a page agree. */
interface FactsNow {
  readonly isSilent: boolean;
  readonly edges: readonly EdgeFact[];
  readonly recordsLost: ReadonlyMap<string, number>;
  readonly origins: readonly OriginSum[];
  readonly watching: ReturnType<OriginReader['edges']>;
  readonly rules: readonly { readonly edge: string; readonly counters: CountersOfRule }[];
}

export function factsNow({ acks, presence, counters, origins }: FactReader): FactsNow {
  return {
    isSilent: presence.isSilent,
    edges: acks.edges(),
    recordsLost: counters.recordsLost(),
    origins: sumsOf(origins.find()),
    watching: origins.edges(),
    rules: [...counters.all()],
  };
}

export const FACT_METRICS = {
  edgefour_dns_fail_open: {
    kind: 'gauge',
    help: 'Whether every edge is silent, so that DNS answers the addresses of all of them (1).',
    labels: [],
    read: ({ isSilent }) => [[{}, isSilent ? 1 : 0]],
  },
  edgefour_edge_up: {
    kind: 'gauge',
    help: 'Whether the edge is alive (1) or silent (0).',
    labels: ['edge', 'site'],
    read: ofEdge(({ alive }) => (alive ? 1 : 0)),
  },
  edgefour_edge_applied_revision: {
    kind: 'gauge',
    help: 'Revision of the desired state that the edge has applied.',
    labels: ['edge', 'site'],
    read: ofEdge(({ applied }) => applied),
  },
  edgefour_edge_alarms: {
    kind: 'gauge',
    help: 'Things that are wrong with the edge itself; `edgefour status` names them.',
    labels: ['edge', 'site'],
    read: ofEdge(({ alarms }) => alarms.length),
  },
  edgefour_records_lost_total: {
    kind: 'counter',
    help: 'Connection records the edge could not keep since it started.',
    labels: ['edge'],
    read: ({ recordsLost }) => [...recordsLost].map(([edge, lost]) => [{ edge }, lost]),
  },
  edgefour_rule_failed: {
    kind: 'gauge',
    help: 'Rules and instances the edge could not apply, with the reason the system gave.',
    labels: ['edge', 'id', 'reason'],
    read: ({ edges }) =>
      edges.flatMap(({ id: edge, failed }) => failed.map(({ id, reason }) => [{ edge, id, reason }, 1])),
  },
  edgefour_rule_unresolved_names: {
    kind: 'gauge',
    help: 'Names of origins of the rule that have no address on the edge; connections to it end as no-origin.',
    labels: ['edge', 'rule'],
    read: ({ edges }) =>
      edges.flatMap(({ id: edge, unresolved }) =>
        unresolved.map(({ id: rule, names }) => [{ edge, rule }, names.length]),
      ),
  },
  edgefour_origin_up: {
    kind: 'gauge',
    help: 'Whether the origin gets connections (1) or is out of use (0). `check`: the rule, load balancer or group that has it checked.',
    labels: ['edge', 'group', 'check', 'origin'],
    read: ({ origins }) => origins.map(({ labels, isUp }) => [labels, isUp ? 1 : 0]),
  },
  edgefour_origin_changes_total: {
    kind: 'counter',
    help: 'How often the origin went out of use or came back since the edge started.',
    labels: ['edge', 'group', 'check', 'origin'],
    read: ({ origins }) => origins.map(({ labels, changes }) => [labels, changes]),
  },
  edgefour_origin_fail_open: {
    kind: 'gauge',
    help: 'Whether a rule of the edge has no origin that is up, so that all of them are used as if they were (1).',
    labels: ['edge'],
    read: ({ watching }) => watching.map(({ edge, failOpen }) => [{ edge }, failOpen > 0 ? 1 : 0]),
  },
  edgefour_origin_probe_seconds: {
    kind: 'histogram',
    help: 'How long probes of origins took.',
    labels: ['edge', 'le'],
    read: ofTimes('probe'),
  },
  edgefour_origin_probe_lag_seconds: {
    kind: 'histogram',
    help: 'How much later than it was due a probe began.',
    labels: ['edge', 'le'],
    read: ofTimes('lag'),
  },
  edgefour_origin_flip_seconds: {
    kind: 'histogram',
    help: 'From a new state of an origin until all engines obeyed it.',
    labels: ['edge', 'le'],
    read: ofTimes('flip'),
  },
  edgefour_rule_connections_total: {
    kind: 'counter',
    help: 'TCP connections and UDP sessions so far; upgrades carry the count on.',
    labels: ['edge', 'rule'],
    read: ofRule('connections'),
  },
  edgefour_rule_active: {
    kind: 'gauge',
    help: 'Connections and sessions open now.',
    labels: ['edge', 'rule'],
    read: ofRule('active'),
  },
  edgefour_rule_bytes_total: {
    kind: 'counter',
    help: 'Payload bytes; in = from clients, out = to clients.',
    labels: ['edge', 'rule', 'direction'],
    read: bothWays('bytesIn', 'bytesOut'),
  },
  edgefour_rule_packets_total: {
    kind: 'counter',
    help: 'Datagrams; in = from clients, out = to clients.',
    labels: ['edge', 'rule', 'direction'],
    read: bothWays('packetsIn', 'packetsOut'),
  },
  edgefour_rule_unanswered_total: {
    kind: 'counter',
    help: 'UDP sessions that ended without a datagram from their origin: it is down, or answers from another port.',
    labels: ['edge', 'rule'],
    read: ofRule('unanswered'),
  },
  edgefour_rule_fast_packets_total: {
    kind: 'counter',
    help: 'Of the packets, those that took the fast path of the kernel engine.',
    labels: ['edge', 'rule'],
    read: ofRule('fastPackets'),
  },
  edgefour_rule_dropped_total: {
    kind: 'counter',
    help: 'Connections and datagrams given up, by reason; with `wait-` and what for, those that had to wait.',
    labels: ['edge', 'rule', 'reason'],
    read: byWord('dropped', 'reason'),
  },
  edgefour_rule_ends_total: {
    kind: 'counter',
    help: 'How connections and sessions ended, by cause.',
    labels: ['edge', 'rule', 'cause'],
    read: byWord('ends', 'cause'),
  },
  edgefour_rule_unrecorded_total: {
    kind: 'counter',
    help: 'Connections without a connection record, by reason: sampled (not in the sample) or lost (their end was not heard of).',
    labels: ['edge', 'rule', 'reason'],
    read: byWord('unrecorded', 'reason'),
  },
} as const satisfies Readonly<Record<string, ReadMetric<FactsNow>>>;

type Read = ReadMetric<FactsNow>['read'];
type NameOf<T> = { [N in CounterName]: NonNullable<CountersOfRule[N]> extends T ? N : never }[CounterName];
type NumberName = NameOf<number>;
type TableName = NameOf<object>;

function ofEdge(value: (edge: EdgeFact) => number): Read {
  return ({ edges }) => edges.map((edge) => [{ edge: edge.id, site: edge.site }, value(edge)]);
}

/** Up only where all of them are. */
function sumsOf(found: readonly FoundOrigin[]): OriginSum[] {
  const sums = new Map<string, OriginSum>();
  for (const { edge, origin: fact } of found) {
    const { group, check, origin, state, changes } = fact;
    const labels = { edge, group, check, origin };
    const key = Object.values(labels).join('\n');
    const sum = sums.get(key) ?? { labels, isUp: true, changes: 0 };
    sum.isUp &&= state === 'up';
    sum.changes += changes;
    sums.set(key, sum);
  }
  return [...sums.values()];
}

function ofTimes(kind: keyof HealthTimes): Read {
  return ({ watching }) =>
    watching.flatMap(({ edge, times }): Sample[] => {
      const { counts, sumMs } = times[kind];
      let total = 0;
      const buckets = counts.map((n, i): Sample => {
        const bound = TIME_BOUNDS_MS[i];
        total += n;
        return [{ edge, le: bound === undefined ? '+Inf' : `${bound / 1_000}` }, total, '_bucket'];
      });
      return [...buckets, [{ edge }, sumMs / 1_000, '_sum'], [{ edge }, total, '_count']];
    });
}

/** One series for each rule of each edge; none where it has not counted any. */
function ofRule(name: NumberName, more: { readonly direction?: string } = {}): Read {
  return ({ rules }) =>
    rules.flatMap(({ edge, counters }): Sample[] => {
      const value = counters[name];
      return value === undefined ? [] : [[{ edge, rule: counters.rule, ...more }, value]];
    });
}

function bothWays(into: NumberName, out: NumberName): Read {
  const ways = [ofRule(into, { direction: 'in' }), ofRule(out, { direction: 'out' })];
  return (now) => ways.flatMap((way) => [...way(now)]);
}

/** One series for each word that was counted. */
function byWord(name: TableName, label: string): Read {
  return ({ rules }) =>
    rules.flatMap(({ edge, counters }) =>
      Object.entries(counters[name] ?? {}).map(([word, n]): Sample => [
        { edge, rule: counters.rule, [label]: word },
        n,
      ]),
    );
}
