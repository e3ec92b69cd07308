/**
 * Raw lines → the table: medians over the rounds, the better peer of each row, our share of it, and whether the promise
 * is kept. Pure; `table.ts FILE…` prints it for runs that are already there.
 */
import { readFileSync } from 'node:fs';
import { FIGURES } from './measurements.ts';
import type { Figure } from './measurements.ts';

export interface Line {
  readonly candidate: string;
  readonly measurement: string;
  readonly round: number;
  readonly load: number;
  readonly [field: string]: number | string;
}

const OURS = 'edgefour uring';
const NO_PROXY = 'no proxy';
const isPeer = (name: string): boolean => !name.startsWith('edgefour') && name !== NO_PROXY;

export function table(lines: readonly Line[]): string {
  const names = [...new Set(lines.map(({ candidate }) => candidate))].filter((name) => name !== NO_PROXY);
  const header = ['', '', ...names, 'share of the better peer', 'promise'];
  const rows = FIGURES.flatMap((figure) => {
    const values = names.map((name) => valueOf(lines, name, figure));
    if (values.every((value) => value === undefined)) return [];
    const peers = values.filter((value, i) => value !== undefined && isPeer(names[i] ?? '')) as number[];
    const ours = values[names.indexOf(OURS)];
    const share = ours === undefined || peers.length === 0 ? undefined : ours / Math.min(...peers);
    return [
      [
        figure.measurement,
        figure.unit,
        ...values.map(text),
        share === undefined ? '' : `${share.toFixed(2)}×`,
        promise(figure, share, ours),
      ],
    ];
  });
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [header, header.map(() => '---'), ...rows].map(line).join('');
}

function valueOf(lines: readonly Line[], candidate: string, figure: Figure): number | undefined {
  const value = median(lines, candidate, figure);
  if (value === undefined || !figure.added) return value;
  const base = median(lines, NO_PROXY, figure);
  return base === undefined ? undefined : value - base;
}

function median(lines: readonly Line[], candidate: string, { measurement, field }: Figure): number | undefined {
  const values = lines
    .filter((line) => line.candidate === candidate && line.measurement === measurement)
    .map((line) => line[field])
    .filter((value) => typeof value === 'number')
    .sort((a, b) => a - b);
  if (values.length === 0) return undefined;
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle] : ((values[middle - 1] ?? 0) + (values[middle] ?? 0)) / 2;
}

function promise({ share: most, most: limit }: Figure, share: number | undefined, ours: number | undefined): string {
  if (most !== undefined && share !== undefined) return `≤ ${most}× ${share <= most ? 'kept' : 'MISSED'}`;
  if (limit !== undefined && ours !== undefined) return `≤ ${limit} ${ours <= limit ? 'kept' : 'MISSED'}`;
  return '';
}

function text(value: number | undefined): string {
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
