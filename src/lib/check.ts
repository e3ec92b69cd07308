/**
 * Small predicates from which a reader of untyped JSON says what form it must have. Pure and total: any value may be
 * asked. Unknown fields are welcome, so that the newer end of a link may say more than the older one knows.
 */
export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === 'string';
export const word: Check = (value) => typeof value === 'string' && value !== '';
export const flag: Check = (value) => typeof value === 'boolean';
/** A whole number that is never negative: revisions, counters, milliseconds. */
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const anything: Check = () => true;

export const shortText =
  (most: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= most;

export const oneOf =
  (words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);

export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

export const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every((item) => check(item));

/** An object used as a table: every value passes. */
export const tableOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every((item) => check(item));

/** Every named field is there (or its check takes undefined). `present` fields may be anything but absent. */
export const fields = (checks: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(checks);
  return (value) => isObject(value) && entries.every(([name, check]) => check(own(value, name)));
};

export const present =
  (name: string, check: Check): Check =>
  (value) =>
    isObject(value) && Object.hasOwn(value, name) && check(value);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export interface Bad {
  readonly bad: string;
}

/** The JSON value of UTF-8 bytes. */
export function parseJson(bytes: Uint8Array): { readonly value: unknown } | Bad {
  try {
    return { value: JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) };
  } catch {
    return { bad: 'it is not JSON' };
  }
}
