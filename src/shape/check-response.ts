/**
 * Whether an answer is what its fields say: every field there, of its type, nothing more, null only where it may be.
 * For tests and the reference generator, which hold examples and handlers to it; the pipeline trusts the types.
 */
import type { Fields, Shape } from './shape.ts';

/** The paths that are wrong, with what is wrong; empty for a good answer. */
export function checkResponse(fields: Fields, answer: unknown, path = ''): string[] {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return [`${path || '.'} is no object`];
  const strange = Object.keys(answer).filter((name) => !Object.hasOwn(fields, name));
  const members: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(answer));
  return [
    ...strange.map((name) => `${path}${name} is not declared`),
    ...Object.entries(fields).flatMap(([name, shape]) => wrong(shape, members[name], path + name)),
  ];
}

function wrong(shape: Shape, value: unknown, path: string): string[] {
  if (value === undefined) return shape.kind === 'optional' ? [] : [`${path} is missing`];
  if (value === null) return shape.kind === 'nullable' ? [] : [`${path} is null`];
  const is = (good: boolean): string[] =>
    good ? [] : [`${path} is not a good ${shape.kind}: ${JSON.stringify(value)}`];
  switch (shape.kind) {
    case 'optional':
    case 'nullable':
      return wrong(shape.of, value, path);
    case 'string':
      return is(typeof value === 'string');
    case 'enum':
      return is(typeof value === 'string' && shape.values.includes(value));
    case 'integer':
      return is(Number.isSafeInteger(value) && !(shape.unsigned && Number(value) < 0));
    case 'float':
      return is(typeof value === 'number' && Number.isFinite(value));
    case 'boolean':
      return is(typeof value === 'boolean');
    case 'list':
      if (!Array.isArray(value)) return is(false);
      return value.flatMap((item, index) => wrong(shape.item, item, `${path}.${index}`));
    case 'object':
      return checkResponse(shape.fields, value, `${path}.`);
  }
}
