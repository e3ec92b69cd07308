/**
 * A value as it is kept: JSON, in one line or in two. A long object's lists are on the second line and their lengths in
 * their places on the first, so that a page of many records can be read without reading what is in their lists. JSON has
 * no newline of its own, so the two can't be confused. Not known to anything outside local/.
 */

/** limit: below this, parsing the lists along costs less than cutting. */
const LONG = 1_024;

type Members = Record<string, unknown>;

export function toText(value: unknown): string {
  const text = JSON.stringify(value);
  if (text.length < LONG || !isObject(value)) return text;
  const lists = Object.entries(value).filter(([, member]) => Array.isArray(member));
  if (lists.length === 0) return text;
  return `${JSON.stringify(headOf(value))}\n${JSON.stringify(Object.fromEntries(lists))}`;
}

export function fromText(text: string): unknown {
  const end = text.indexOf('\n');
  if (end === -1) return JSON.parse(text);
  return { ...(JSON.parse(text.slice(0, end)) as Members), ...(JSON.parse(text.slice(end + 1)) as Members) };
}

/** The value with each list of it replaced by how many items it has. */
export function headFromText(text: string): unknown {
  const end = text.indexOf('\n');
  if (end !== -1) return JSON.parse(text.slice(0, end));
  const value: unknown = JSON.parse(text);
  return isObject(value) ? headOf(value) : value;
}

function headOf(value: Members): Members {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, Array.isArray(member) ? member.length : member]),
  );
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
