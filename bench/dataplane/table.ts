/**
 * Raw lines → two tables: the figures of everybody, as medians over the rounds; and what was promised, each with what was
 * measured. A share is the median of the shares of each round, in which both took their turns within seconds of each
 * other: a machine whose pace changes from minute to minute changes both. Pure; `table.ts FILE…` prints them for runs that
 * are already there.
 */
import { readFileSync } from 'node:fs';
import { FIGURES } from './measurements.ts';
import type { Figure, Promised } from './measurements.ts';

export interface Line {
  readonly candidate: string;
  readonly measurement: string;
  readonly round: number;
  readonly load: number;
  readonly [field: string]: number | string;
}

const NO_PROXY = 'no proxy';
const isPeer = (name: string): boolean => !name.startsWith('edgefour') && name !== NO_PROXY;

export function table(lines: readonly Line[]): string {
  const names = [...new Set(lines.map(({ candidate }) => candidate))].filter((name) => name !== NO_PROXY);
  const figures = FIGURES.map((figure) => ({
    figure,
    of: new Map(names.map((name) => [name, valuesOf(lines, name, figure)])),
  }));
  const shown = figures.filter(({ of }) => [...of.values()].some(({ length }) => length > 0));
  const all = shown.map(({ figure, of }) => [
    figure.measurement,
    figure.unit,
    ...names.map((name) => text(median(of.get(name) ?? []))),
  ]);
  const kept = shown.flatMap(({ figure, of }) =>
    Object.entries(figure.promises ?? {}).flatMap(([name, promises]) =>
      promises.flatMap((promised) => {
        const row = verdict(promised, of.get(name) ?? [], of);
        return row ? [[figure.measurement, figure.unit, name, ...row]] : [];
      }),
    ),
  );
  return `${markdown(['', '', ...names], all)}\n${markdown(['', '', 'who', 'measured', 'of', 'promise', ''], kept)}`;
}

/** By round, in the order of rounds; `added` figures less the same round's without a proxy. */
type Values = readonly (number | undefined)[];

export function valuesOf(lines: readonly Line[], candidate: string, { measurement, field, added }: Figure): Values {
  const byRound = (name: string): Values => {
    const values: (number | undefined)[] = [];
    for (const line of lines)
      if (line.candidate === name && line.measurement === measurement && typeof line[field] === 'number')
        values[line.round] = line[field];
    return values;
  };
  const values = byRound(candidate);
  if (!added) return values;
  const base = byRound(NO_PROXY);
  return values.map((value, round) => difference(value, base[round]));
}

function difference(value?: number, base?: number): number | undefined {
  return value === undefined || base === undefined ? undefined : value - base;
}

/** Measured, of whom, promised, whether it is kept; undefined where there is nothing to compare. */
function verdict(promised: Promised, ours: Values, all: ReadonlyMap<string, Values>): string[] | undefined {
  const own = median(ours);
  if (own === undefined) return undefined;
  const { share, most } = promised;
  const peer = promised.of ?? better(all);
  const theirs = peer === undefined ? undefined : all.get(peer);
  const measured = theirs && median(ours.map((value, round) => ratio(value, theirs[round])));
  if (share !== undefined && measured === undefined && most === undefined) return undefined;
  const isKept =
    (share !== undefined && measured !== undefined && measured <= share) || (most !== undefined && own <= most);
  return [
    [
      share !== undefined && measured !== undefined ? `${measured.toFixed(2)}×` : '',
      most === undefined ? '' : text(own),
    ]
      .filter((part) => part !== '')
      .join(', '),
    share === undefined ? '' : (peer ?? ''),
    [share === undefined ? '' : `≤ ${share}×`, most === undefined ? '' : `≤ ${most}`]
      .filter((part) => part !== '')
      .join(' or '),
    isKept ? 'kept' : 'MISSED',
  ];
}

export function ratio(value?: number, base?: number): number | undefined {
  return value === undefined || base === undefined || base <= 0 ? undefined : value / base;
}

/** The peer with the lowest median. */
function better(all: ReadonlyMap<string, Values>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const [name, values] of all) {
    const value = isPeer(name) ? median(values) : undefined;
    if (value !== undefined && value < least) [best, least] = [name, value];
  }
  return best;
}

export function median(values: Values): number | undefined {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

export function text(value: number | undefined): string {
  if (value === undefined) return '–';
  return Math.abs(value) >= 1000 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
}

if (process.argv[1] === import.meta.filename) {
  const lines = process.argv
    .slice(2)
    .flatMap((path) => readFileSync(path, 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => 'candidate' in line);
  process.stdout.write(table(lines));
}
