/** A set of fields as rows for a table: nested structures become paths, rules become words. */
import type { Fields, Shape } from '../../src/shape/shape.ts';
import { code } from './markdown.ts';

interface FieldRow {
  /** `L4ProxyRules[].Protocol`. */
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly meaning: string;
}

export function fieldRows(fields: Fields, prefix = ''): FieldRow[] {
  return Object.entries(fields).flatMap(([name, shape]) => rows(`${prefix}${name}`, shape, true));
}

function rows(path: string, shape: Shape, required: boolean): FieldRow[] {
  if (shape.kind === 'optional') return rows(path, shape.of, false);
  const row = { path, type: typeOf(shape), required, meaning: meaningOf(shape) };
  return [row, ...inside(path, shape)];
}

function inside(path: string, shape: Shape): FieldRow[] {
  if (shape.kind === 'object') return fieldRows(shape.fields, `${path}.`);
  if (shape.kind === 'list') return inside(`${path}[]`, shape.item);
  if (shape.kind === 'nullable' || shape.kind === 'optional') return inside(path, shape.of);
  return [];
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case 'list':
      return `list of ${typeOf(shape.item)}`;
    case 'nullable':
      return `${typeOf(shape.of)} or null`;
    case 'optional':
      return typeOf(shape.of);
    case 'enum':
      return 'string';
    case 'integer':
      return shape.unsigned ? 'unsigned integer' : 'integer';
    default:
      return shape.kind;
  }
}

function meaningOf(shape: Shape): string {
  return [shape.description, ...rulesOf(shape)].join(' ');
}

function rulesOf(shape: Shape): string[] {
  switch (shape.kind) {
    case 'enum':
      return [`One of ${shape.values.map(code).join(', ')}.`];
    case 'string':
      return [...span(shape, 'characters'), ...(shape.format === 'time' ? ['RFC 3339.'] : [])];
    case 'integer':
      return span(shape, '');
    case 'list':
      return [...span(shape, 'items'), ...rulesOf(shape.item)];
    case 'nullable':
    case 'optional':
      return rulesOf(shape.of);
    default:
      return [];
  }
}

function span({ min, max }: { readonly min?: number; readonly max?: number }, unit: string): string[] {
  const of = unit === '' ? '' : ` ${unit}`;
  if (min !== undefined && max !== undefined) return [`${min} to ${max}${of}.`];
  if (max !== undefined) return [`At most ${max}${of}.`];
  return min === undefined ? [] : [`At least ${min}${of}.`];
}
