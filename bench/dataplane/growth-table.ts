/** The tables of the growth benchmark, and what was promised. Pure. */
import { NO_PROXY } from './candidates.ts';
import { type Line, markdown, median, ratio, text, valuesOf } from './table.ts';

export interface Size {
  readonly name: string;
  /** 0: no proxy. */
  readonly rules: number;
  /** Of each rule that is measured. */
  readonly origins: number;
}

const ONE = '1 rule, 1 origin';
export const SIZES: readonly Size[] = [
  { name: NO_PROXY, rules: 0, origins: 0 },
  { name: ONE, rules: 1, origins: 1 },
  { name: '100 rules', rules: 100, origins: 1 },
  { name: '10,000 rules', rules: 10_000, origins: 1 },
  { name: '10 origins', rules: 1, origins: 10 },
  { name: '1,000 origins', rules: 1, origins: 1000 },
];

const FIGURES = [
  { measurement: 'connects', field: 'totalMicros', unit: 'µs' },
  { measurement: 'rr 64 B', field: 'totalMicros', unit: 'µs' },
  { measurement: 'udp 64 B', field: 'totalMicros', unit: 'µs' },
  { measurement: 'down, 1 stream', field: 'totalPerGB', unit: 'CPU-s/GB' },
] as const;

/** Of the same with one rule, at most. */
const MOST_SHARE = 1.2;
/** limit: a gigabyte costs next to nothing, and a share of next to nothing says nothing; so much more is the same, CPU-s. */
const SAME_PER_GB = 0.01;
/** A change of one rule, milliseconds. */
const MOST_MS = 50;

/** The added cost of each size; of the fast way, which adds nothing or less, the whole cost of all machines. */
export function packetsTable(lines: readonly Line[], way: 'long' | 'fast'): string {
  const added = way === 'long' ? ({ added: true } as const) : {};
  const names = SIZES.map(({ name }) => name).filter((name) => name !== NO_PROXY);
  const asked = FIGURES.filter(({ measurement }) => lines.some((line) => line.measurement === measurement));
  const rows = asked.map((figure) => ({
    figure,
    of: new Map(names.map((name) => [name, valuesOf(lines, name, { ...figure, ...added })])),
  }));
  const all = rows.map(({ figure, of }) => [
    figure.measurement,
    `${way === 'long' ? 'added ' : ''}${figure.unit}`,
    ...names.map((name) => text(median(of.get(name) ?? []))),
  ]);
  const shares = rows.flatMap(({ figure, of }) =>
    names
      .filter((name) => name !== ONE)
      .map((name) => {
        const [ours, base] = [of.get(name) ?? [], of.get(ONE) ?? []];
        const share = median(ours.map((value, round) => ratio(value, base[round])));
        const more = median(ours.map((value, round) => (value ?? NaN) - (base[round] ?? NaN)));
        const isSame = figure.field === 'totalPerGB' && more !== undefined && more <= SAME_PER_GB;
        const isKept = isSame || (share !== undefined && share <= MOST_SHARE);
        const measured = share === undefined ? '–' : `${share.toFixed(2)}×`;
        return [figure.measurement, `${name} ÷ ${ONE}`, measured, text(more), isKept ? 'kept' : 'MISSED'];
      }),
  );
  const promise = `promise: ≤ ${MOST_SHARE}×`;
  return `${markdown(['', '', ...names], all)}\n${markdown(['', '', 'share', 'more', promise], shares)}`;
}

/** Figures by name; times in milliseconds. */
export interface Changes {
  readonly rules: number;
  readonly origins: number;
  readonly [figure: string]: number;
}

export function changesTable(all: readonly Changes[]): string {
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))].filter(
    (name) => !['rules', 'origins'].includes(name),
  );
  const rows = names.map((name) => {
    const isPromised = name.endsWith('p99');
    const worst = Math.max(...all.map((one) => one[name] ?? 0));
    const verdict = isPromised ? (worst < MOST_MS ? 'kept' : 'MISSED') : '';
    return [name, ...all.map((one) => text(one[name])), isPromised ? `< ${MOST_MS} ms` : '', verdict];
  });
  const header = all.map(({ rules, origins }) => `${rules} rules, ${origins} origins each`);
  return markdown(['milliseconds', ...header, 'promise', ''], rows);
}
