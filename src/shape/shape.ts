/**
 * The field language: the cloud's structures as data. A shape says what a field is, and everything derived from an
 * action (types, validation, reference, CLI, console) reads it. check.ts is the walker that turns a request into a
 * typed value or the cloud's exact fault. No I/O, no knowledge of any action.
 */
import type { FaultCode } from '../faults/catalogue.ts';

interface Base {
  readonly description: string;
  /** The code for a value of the right type that breaks the rule; default `InvalidParameterValue`. */
  readonly fault?: FaultCode;
}

export interface StringShape extends Base {
  readonly kind: 'string';
  readonly pattern?: RegExp;
  readonly min?: number;
  readonly max?: number;
  /** `time`: RFC 3339 with any offset. */
  readonly format?: 'time';
}
interface EnumShape<V extends string = string> extends Base {
  readonly kind: 'enum';
  readonly values: readonly V[];
  /** The cloud's clients send "" for absent here; it is dropped. */
  readonly emptyIsAbsent?: boolean;
}
export interface IntegerShape extends Base {
  readonly kind: 'integer';
  readonly min?: number;
  readonly max?: number;
  /** An unsigned field refuses a negative number as a type error, like the cloud's gateway. */
  readonly unsigned: boolean;
}
interface FloatShape extends Base {
  readonly kind: 'float';
}
interface BooleanShape extends Base {
  readonly kind: 'boolean';
}
export interface ListShape<I extends Shape = Shape> extends Base {
  readonly kind: 'list';
  readonly item: I;
  readonly min?: number;
  readonly max?: number;
}
interface ObjectShape<F extends Fields = Fields> extends Base {
  readonly kind: 'object';
  readonly fields: F;
}
interface OptionalShape<S extends Shape = Shape> {
  readonly kind: 'optional';
  readonly of: S;
  readonly description: string;
}
/** A response field that may be null (`LogFormat: null`). */
interface NullableShape<S extends Shape = Shape> {
  readonly kind: 'nullable';
  readonly of: S;
  readonly description: string;
}

export type Shape =
  | StringShape
  | EnumShape
  | IntegerShape
  | FloatShape
  | BooleanShape
  | ListShape
  | ObjectShape
  | OptionalShape
  | NullableShape;
export type Fields = { readonly [name: string]: Shape };

type Simplify<T> = { [K in keyof T]: T[K] } & {};
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends OptionalShape ? K : never }[keyof F];

/** The TypeScript type of a shape's value. Of any shape at all it is unknown; without that end the type is infinite. */
type InferShape<S extends Shape> = [Shape] extends [S]
  ? unknown
  : S extends OptionalShape<infer O>
    ? InferShape<O>
    : S extends NullableShape<infer O>
      ? InferShape<O> | null
      : S extends EnumShape<infer V>
        ? V
        : S extends StringShape
          ? string
          : S extends IntegerShape | FloatShape
            ? number
            : S extends BooleanShape
              ? boolean
              : S extends ListShape<infer I>
                ? InferShape<I>[]
                : S extends ObjectShape<infer F>
                  ? Infer<F>
                  : never;

/** The TypeScript type of a set of fields: a request, a response, a structure. */
export type Infer<F extends Fields> = Simplify<
  { [K in Exclude<keyof F, OptionalKeys<F>>]: InferShape<F[K]> } & { [K in OptionalKeys<F>]?: InferShape<F[K]> }
>;

type Rules<S extends Base> = Omit<S, 'kind' | 'description' | 'values' | 'item' | 'fields' | 'unsigned'>;

export const string = (description: string, rules: Rules<StringShape> = {}): StringShape => ({
  kind: 'string',
  description,
  ...rules,
});
export const oneOf = <const V extends string>(
  values: readonly V[],
  description: string,
  rules: Rules<EnumShape> = {},
): EnumShape<V> => ({ kind: 'enum', values, description, ...rules });
export const onOff = (description: string): EnumShape<'on' | 'off'> => oneOf(['on', 'off'], description);
export const integer = (description: string, rules: Rules<IntegerShape> = {}): IntegerShape => ({
  kind: 'integer',
  description,
  unsigned: false,
  ...rules,
});
export const unsigned = (description: string, rules: Rules<IntegerShape> = {}): IntegerShape => ({
  kind: 'integer',
  description,
  unsigned: true,
  ...rules,
});
export const float = (description: string): FloatShape => ({ kind: 'float', description });
export const boolean = (description: string): BooleanShape => ({ kind: 'boolean', description });
export const list = <const I extends Shape>(
  item: I,
  description: string,
  rules: Rules<ListShape> = {},
): ListShape<I> => ({
  kind: 'list',
  item,
  description,
  ...rules,
});
export const object = <const F extends Fields>(fields: F, description: string): ObjectShape<F> => ({
  kind: 'object',
  fields,
  description,
});
export const optional = <const S extends Shape>(of: S): OptionalShape<S> => ({
  kind: 'optional',
  of,
  description: of.description,
});
export const nullable = <const S extends Shape>(of: S): NullableShape<S> => ({
  kind: 'nullable',
  of,
  description: of.description,
});
