/**
 * The fields of an action as flags of a command, and back: `--ZoneId zone-…`, a list by repetition or as JSON, an object
 * as JSON. Derived from the action's shape alone; whether the values are allowed is the API's to say. Pure.
 */
import type { FlagTable } from '../../config/flags.ts';
import { Usage } from '../../config/usage.ts';
import type { Fields, Shape } from '../../shape/shape.ts';

export function flagsOf(fields: Fields): FlagTable {
  return Object.fromEntries(
    Object.entries(fields).map(([name, shape]) => {
      const required = shape.kind !== 'optional';
      return [name, { value: valueWord(core(shape)), help: `${required ? '(required) ' : ''}${shape.description}` }];
    }),
  );
}

/** Flag values as the request they mean. Throws Usage where a value can't be read as its field's kind. */
export function fieldsFrom(fields: Fields, flags: ReadonlyMap<string, readonly string[]>): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(fields)) {
    const texts = flags.get(name);
    if (texts) request[name] = valueFrom(name, core(shape), texts);
  }
  return request;
}

function core(shape: Shape): Exclude<Shape, { kind: 'optional' | 'nullable' }> {
  return shape.kind === 'optional' || shape.kind === 'nullable' ? core(shape.of) : shape;
}

function valueWord(shape: Shape): string {
  switch (shape.kind) {
    case 'enum':
      return shape.values.join('|');
    case 'integer':
    case 'float':
      return 'N';
    case 'boolean':
      return 'true|false';
    case 'list':
      return isScalar(core(shape.item)) ? `${valueWord(core(shape.item))} …` : 'JSON';
    case 'object':
      return 'JSON';
    case 'string':
      return shape.format === 'time' ? 'TIME' : 'TEXT';
    case 'optional':
    case 'nullable':
      return valueWord(shape.of);
  }
}

function isScalar(shape: Shape): boolean {
  return shape.kind !== 'object' && shape.kind !== 'list';
}

function valueFrom(name: string, shape: Shape, texts: readonly string[]): unknown {
  if (shape.kind === 'list') return listFrom(name, core(shape.item), texts);
  if (texts.length > 1) throw new Usage(`--${name} was given ${texts.length} times; it is no list.`);
  return one(name, shape, texts[0] ?? '');
}

/** `--Values a --Values b`, `--Values '["a","b"]'`, and for objects `--Rules '{…}' --Rules '{…}'`. */
function listFrom(name: string, item: Shape, texts: readonly string[]): unknown[] {
  const [first = ''] = texts;
  if (texts.length === 1 && first.trimStart().startsWith('[')) return json(name, first) as unknown[];
  return texts.map((text) => one(name, item, text));
}

function one(name: string, shape: Shape, text: string): unknown {
  switch (shape.kind) {
    case 'integer':
    case 'float': {
      const number = Number(text);
      if (text.trim() === '' || !Number.isFinite(number)) throw new Usage(`--${name} "${text}" is not a number.`);
      return number;
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw new Usage(`--${name} "${text}" is neither true nor false.`);
      return text === 'true';
    case 'list':
    case 'object':
      return json(name, text);
    case 'string':
    case 'enum':
      return text;
    case 'optional':
    case 'nullable':
      return one(name, shape.of, text);
  }
}

function json(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Usage(`--${name} is not JSON: ${text.slice(0, 60)}`);
  }
}
