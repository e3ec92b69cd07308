/**
 * Metrics with a Prometheus rendering: those that this program counts itself (names.ts), and those that are read when a page is
 * rendered, each by the reader in its row. Knows no metric; control makes one and renders it.
 */
import { METRICS, type Metric, type MetricRow } from './names.ts';

type Labels = Readonly<Record<string, string>>;
/** One series and its value; `part`: of a histogram. */
export type Sample = readonly [labels: Labels, value: number, part?: '_bucket' | '_sum' | '_count'];

export interface ReadMetric<Source> extends MetricRow {
  readonly read: (from: Source) => Iterable<Sample>;
}

export interface Metrics {
  add(metric: Metric, labels?: Labels, by?: number): void;
  set(metric: Metric, labels: Labels, value: number): void;
  /** These rows are part of each page from now on; `source` is asked once for a page. */
  show<Source>(rows: Readonly<Record<string, ReadMetric<Source>>>, source: () => Source): void;
  /** Prometheus text format 0.0.4. */
  render(): string;
}

export function createMetrics(): Metrics {
  const counted = new Map<Metric, Map<string, number>>();
  const shown: (() => string[])[] = [];

  function cells(metric: Metric): Map<string, number> {
    let cells = counted.get(metric);
    if (!cells) counted.set(metric, (cells = new Map()));
    return cells;
  }
  return {
    add(metric, labels = {}, by = 1) {
      const key = labelText(METRICS[metric], labels);
      cells(metric).set(key, (cells(metric).get(key) ?? 0) + by);
    },
    set(metric, labels, value) {
      cells(metric).set(labelText(METRICS[metric], labels), value);
    },
    show(rows, source) {
      shown.push(() => {
        const now = source();
        return Object.entries(rows).flatMap(([name, row]) => {
          const series = [...row.read(now)].map(([labels, value, part = '']): [string, number] => [
            `${part}${labelText(row, labels)}`,
            value,
          ]);
          return family(name, row, series);
        });
      });
    },
    render() {
      const own = [...counted].flatMap(([metric, series]) => family(metric, METRICS[metric], [...series]));
      return `${[...own, ...shown.flatMap((lines) => lines())].join('\n')}\n`;
    },
  };
}

/** Nothing where there is no series. */
function family(name: string, { kind, help }: MetricRow, series: readonly (readonly [string, number])[]): string[] {
  if (series.length === 0) return [];
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...series.map(([labels, n]) => `${name}${labels} ${n}`)];
}

function labelText({ labels: names }: MetricRow, labels: Labels): string {
  if (names.length === 0) return '';
  // Only the buckets of a histogram have a bound.
  const pairs = names
    .filter((name) => name !== 'le' || labels[name] !== undefined)
    .map((name) => `${name}="${escape(labels[name] ?? '')}"`);
  return `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
