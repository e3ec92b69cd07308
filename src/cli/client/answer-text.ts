/** An API answer for a person: single values line by line, lists of structures as tables. Pure. */
import { table } from './table.ts';

type Structure = Readonly<Record<string, unknown>>;

export function asText(answer: Structure): string {
  const entries = Object.entries(answer);
  if (entries.length === 0) return 'Done.\n';
  const lists = entries.filter((entry): entry is [string, Structure[]] => isTable(entry[1]));
  const single = entries.filter(([, value]) => !isTable(value));
  const width = Math.max(0, ...single.map(([name]) => name.length));
  const lines = single.map(([name, value]) => `${name.padEnd(width)}  ${cell(value)}\n`).join('');
  const tables = lists.map(([name, rows]) => (rows.length === 0 ? `${name}: none\n` : structures(rows)));
  return [lines, ...tables].filter((part) => part !== '').join('\n');
}

function isTable(value: unknown): boolean {
  return Array.isArray(value) && (value.length === 0 || (typeof value[0] === 'object' && value[0] !== null));
}

/** Columns that are empty in every row tell nothing. */
function structures(rows: readonly Structure[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const told = names.filter((name) => rows.some((row) => cell(row[name]) !== '-'));
  return table(
    told,
    rows.map((row) => told.map((name) => cell(row[name]))),
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value)) return value.map((item) => cell(item)).join(isTable(value) ? '; ' : ',') || '-';
  if (typeof value === 'object') return members(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What is absent tells nothing here, too. */
function members(value: object): string {
  const told = Object.entries(value).map(([name, inner]) => [name, cell(inner)] as const);
  return (
    told
      .filter(([, text]) => text !== '-')
      .map(([name, text]) => `${name} ${text}`)
      .join(', ') || '-'
  );
}
