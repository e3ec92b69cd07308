/**
 * The walker: turns an untrusted request into the typed value its fields describe, or into the cloud's exact fault.
 * Strict about types, no defaults, null counts as absent. It recurses along the shapes, never along the input, so
 * hostile depth costs nothing. Called by the pipeline; extension code that reads documents may call it too.
 * Source of the codes and message shapes: spec section 1.7.
 */
import type { FaultCode } from '../faults/catalogue.ts';
import { Fault } from '../faults/fault.ts';
import { textToBoolean, textToNumber } from './text.ts';
import type { Fields, IntegerShape, ListShape, Shape, StringShape } from './shape.ts';
import { isTime } from './time.ts';

export interface CheckOptions {
  /** Of a member that no field describes: refuse it, or drop it and tell its path. */
  readonly unknown: 'refuse' | 'ignore';
  /** Everything arrives as text (query strings and forms): numbers and booleans are read from it. */
  readonly text: boolean;
}

type Checked =
  | { readonly ok: true; readonly value: Record<string, unknown>; readonly unknown: readonly string[] }
  | { readonly ok: false; readonly fault: Fault };

export function check(fields: Fields, input: unknown, options: CheckOptions): Checked {
  const walk = new Walk(options);
  const value = isObject(input) ? walk.object(fields, input, '') : walk.refuseBody();
  const fault = walk.firstFault();
  return fault ? { ok: false, fault } : { ok: true, value, unknown: walk.unknown };
}

/** order: the cloud looks for unknown members first, then missing ones, then types, then values; spec section 1.8. */
const RANKS = ['unknown', 'missing', 'type', 'value'] as const;
type Rank = (typeof RANKS)[number];

/** limit: names told about members we dropped; enough to act on, small enough for a header. */
const UNKNOWN_TOLD = 20;

class Walk {
  readonly unknown: string[] = [];
  readonly #options: CheckOptions;
  readonly #faults: Partial<Record<Rank, Fault>> = {};

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  firstFault(): Fault | undefined {
    const rank = RANKS.find((rank) => this.#faults[rank]);
    return rank && this.#faults[rank];
  }

  refuseBody(): Record<string, unknown> {
    this.#faults.type = new Fault('InvalidParameter', 'The request body must be a JSON object.');
    return {};
  }

  object(fields: Fields, input: Record<string, unknown>, path: string): Record<string, unknown> {
    for (const name of Object.keys(input)) {
      if (!Object.hasOwn(fields, name)) this.#strange(path + name);
    }
    const out: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(fields)) {
      const given = Object.hasOwn(input, name) ? input[name] : undefined;
      const value = isAbsent(shape, given) ? undefined : this.#value(shape, given, path + name);
      if (value !== undefined) out[name] = value;
      else if (shape.kind !== 'optional') this.#note('missing', 'MissingParameter', path + name);
    }
    return out;
  }

  /** The typed value; after a fault, anything but undefined. */
  #value(shape: Shape, given: unknown, path: string): unknown {
    switch (shape.kind) {
      case 'optional':
      case 'nullable':
        return this.#value(shape.of, given, path);
      case 'string':
        return typeof given === 'string' ? this.#string(shape, given, path) : this.#wrongType(path);
      case 'enum':
        if (typeof given !== 'string') return this.#wrongType(path);
        if (!shape.values.includes(given)) this.#broken(shape, path, `must be one of ${shape.values.join(', ')}`);
        return given;
      case 'integer':
        return this.#integer(shape, this.#options.text ? textToNumber(given) : given, path);
      case 'float': {
        const value = this.#options.text ? textToNumber(given) : given;
        return typeof value === 'number' && Number.isFinite(value) ? value : this.#wrongType(path);
      }
      case 'boolean': {
        const value = this.#options.text ? textToBoolean(given) : given;
        return typeof value === 'boolean' ? value : this.#wrongType(path);
      }
      case 'list':
        return Array.isArray(given) ? this.#list(shape, given, path) : this.#wrongType(path);
      case 'object':
        return isObject(given) ? this.object(shape.fields, given, `${path}.`) : this.#wrongType(path);
    }
  }

  #string(shape: StringShape, given: string, path: string): string {
    const { min, max, pattern, format } = shape;
    if (!lengthWithin(given, min, max)) this.#broken(shape, path, `must have ${range(min, max)} characters`);
    else if (pattern && !pattern.test(given)) this.#broken(shape, path, `must match ${pattern.source}`);
    else if (format === 'time' && !isTime(given)) {
      this.#broken(shape, path, 'must be an RFC 3339 time such as 2024-01-31T08:00:00Z');
    }
    return given;
  }

  #integer(shape: IntegerShape, given: unknown, path: string): number {
    if (typeof given !== 'number' || !Number.isSafeInteger(given)) return this.#wrongType(path);
    if (shape.unsigned && given < 0) return this.#wrongType(path);
    const { min = -Infinity, max = Infinity } = shape;
    if (given < min || given > max) this.#broken(shape, path, `must be ${range(shape.min, shape.max)}`);
    return given;
  }

  #list(shape: ListShape, given: unknown[], path: string): unknown[] {
    const { min = 0, max = Infinity } = shape;
    if (given.length < min || given.length > max) {
      this.#broken(shape, path, `must have ${range(shape.min, shape.max)} elements`);
      return [];
    }
    return given.map((item, index) => this.#value(shape.item, item, `${path}.${index}`));
  }

  #strange(path: string): void {
    if (this.#options.unknown === 'refuse') this.#note('unknown', 'UnknownParameter', path);
    else if (this.unknown.length < UNKNOWN_TOLD) this.unknown.push(path);
  }

  #wrongType(path: string): 0 {
    this.#note('type', 'InvalidParameter', path);
    return 0;
  }

  #broken(shape: { readonly fault?: FaultCode }, path: string, rule: string): void {
    this.#note('value', shape.fault ?? 'InvalidParameterValue', path, `\`${path}\` ${rule}.`);
  }

  /** Only the first of a rank is kept: a body with a million faults makes one. */
  #note(rank: Rank, code: FaultCode, parameter: string, detail?: string): void {
    this.#faults[rank] ??= new Fault(code, detail, { parameter });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** wire: Terraform's provider sends "" for values its user left out; shapes say where that means absent. */
function isAbsent(shape: Shape, given: unknown): boolean {
  if (given === undefined || given === null) return true;
  const inner = shape.kind === 'optional' ? shape.of : shape;
  return given === '' && inner.kind === 'enum' && inner.emptyIsAbsent === true;
}

/** Counts characters, not UTF-16 units; only counts where the two could differ in their verdict. */
function lengthWithin(text: string, min = 0, max = Infinity): boolean {
  if (text.length < min || text.length > max * 2) return false;
  const characters = text.length > max || min > 1 ? Array.from(text).length : text.length;
  return characters >= min && characters <= max;
}

function range(min?: number, max?: number): string {
  if (min === undefined) return `at most ${max}`;
  if (max === undefined) return `at least ${min}`;
  return `${min} to ${max}`;
}
