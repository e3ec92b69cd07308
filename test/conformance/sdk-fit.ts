/**
 * Compile-time proof that our actions have the official SDK's shapes: nothing here runs. For every action that the SDK
 * knows, tsc fails on the line of `FIT` that names it when a field is missing, extra or of another type. Requests: all
 * that the SDK can send is accepted. Responses: all that we answer is what the SDK declares, and nothing it declares
 * is missing, at any depth.
 */
import type { Client } from 'tencentcloud-sdk-nodejs-teo/tencentcloud/services/teo/v20220901/teo_client.js';
import type { ACTIONS } from '../../src/api/actions/index.ts';
import type { Infer } from '../../src/shape/shape.ts';

type Ours = typeof ACTIONS;
type SharedName = Extract<keyof Ours, keyof Client>;
type Call<N extends SharedName> = Client[N] extends (request: infer Q, ...rest: never[]) => Promise<infer A>
  ? { request: Asked<Q>; response: A }
  : never;
/** Where there is nothing to ask, the SDK's type is null and its call sends `{}`. */
type Asked<Q> = [NonNullable<Q>] extends [never] ? object : NonNullable<Q>;

/** The SDK writes plain `string` where we write the values; it knows no null where the cloud sends one. */
type Plain<T> = T extends null
  ? never
  : T extends string
    ? string
    : T extends number
      ? number
      : T extends boolean
        ? boolean
        : T extends readonly (infer I)[]
          ? Plain<I>[]
          : T extends object
            ? { [K in keyof T]: Plain<T[K]> }
            : T;

/** Paths of fields that A has and B lacks; lists count as their items. `never` where B has all of them. */
type Lacks<A, B, Path extends string = ''> = A extends readonly (infer AI)[]
  ? B extends readonly (infer BI)[]
    ? Lacks<AI, BI, Path>
    : `${Path} is not a list`
  : A extends object
    ? B extends object
      ? {
          [K in keyof A & string]: K extends keyof B
            ? Lacks<NonNullable<A[K]>, NonNullable<B[K]>, `${Path}.${K}`>
            : `${Path}.${K}`;
        }[keyof A & string]
      : `${Path} is not an object`
    : never;

type RequestOf<N extends SharedName> = Plain<Infer<Ours[N]['request']>>;
type ResponseOf<N extends SharedName> = Plain<Infer<Ours[N]['response']>>;
/** Same fields, every one optional: whether a field is required is the wire's business, not the typings'. */
type Loose<T> = T extends readonly (infer I)[]
  ? Loose<I>[]
  : T extends object
    ? { [K in keyof T]?: Loose<T[K]> | undefined }
    : T;

type Verdict<N extends SharedName> =
  | Lacks<Call<N>['request'], RequestOf<N>, 'request'>
  | Lacks<RequestOf<N>, Call<N>['request'], 'request (ours)'>
  | Lacks<Omit<Call<N>['response'], 'RequestId'>, ResponseOf<N>, 'response'>
  | Lacks<ResponseOf<N>, Call<N>['response'], 'response (ours)'>
  | (Loose<Call<N>['request']> extends Loose<RequestOf<N>> ? never : 'request types')
  | (Loose<ResponseOf<N>> extends Loose<Call<N>['response']> ? never : 'response types');

/** `true` for each action that fits, else what does not. */
type Fit = { [N in SharedName]: [Verdict<N>] extends [never] ? true : Verdict<N> };

type AllTrue<T extends Record<string, true>> = T;
export type SdkFits = AllTrue<Fit>;
