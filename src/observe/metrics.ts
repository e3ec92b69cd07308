/** Counters and gauges with a Prometheus rendering. Names and labels come from names.ts only. */
import { METRICS, type Metric, type MetricName } from './names.ts';

type Labels = Readonly<Record<string, string>>;

export interface Metrics {
  add(metric: Metric, labels?: Labels, by?: number): void;
  set(metric: Metric, labels: Labels, value: number): void;
  /** Forgets every series of the metric, before a collector sets those that are there now. */
  clear(metric: Metric): void;
  /** Called at each rendering, for values that are cheaper to read than to push. */
  collect(collector: () => void): void;
  /** Prometheus text format 0.0.4. */
  render(): string;
}

export function createMetrics(): Metrics {
  const series = new Map<Metric, Map<string, number>>();
  const collectors: (() => void)[] = [];

  function cell(metric: Metric): Map<string, number> {
    let cells = series.get(metric);
    if (!cells) series.set(metric, (cells = new Map()));
    return cells;
  }
  return {
    add(metric, labels = {}, by = 1) {
      const cells = cell(metric);
      const key = labelText(METRICS[metric], labels);
      cells.set(key, (cells.get(key) ?? 0) + by);
    },
    set(metric, labels, value) {
      cell(metric).set(labelText(METRICS[metric], labels), value);
    },
    clear(metric) {
      series.delete(metric);
    },
    collect(collector) {
      collectors.push(collector);
    },
    render() {
      for (const collector of collectors) collector();
      const out: string[] = [];
      for (const [metric, cells] of series) {
        out.push(`# HELP ${metric} ${METRICS[metric].help}`, `# TYPE ${metric} ${METRICS[metric].kind}`);
        for (const [labels, value] of cells) out.push(`${metric}${labels} ${value}`);
      }
      return `${out.join('\n')}\n`;
    },
  };
}

function labelText(name: MetricName, labels: Labels): string {
  if (name.labels.length === 0) return '';
  const pairs = name.labels.map((label) => `${label}="${escape(labels[label] ?? '')}"`);
  return `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
