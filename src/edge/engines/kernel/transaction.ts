/**
 * From what rules have in the table to what they should have: the statements that nft applies in one transaction, only
 * where something differs. Elements that stay keep their counters. Pure.
 */
import type { Element, Pieces } from './pieces.ts';
import { TABLE } from './table.ts';

/**
 * Statements that turn `before` into `after`. order: what is jumped to is there before the jump, and goes after it; an
 * element that changes goes and comes in one transaction, so no packet finds neither.
 */
export function difference(before: Pieces, after: Pieces): string[] {
  const gone = only(before.elements, after.elements, sameElement);
  const fresh = only(after.elements, before.elements, sameElement);
  const chains = only(after.chains, before.chains, sameLines);
  return [
    ...missing(after.maps, before.maps).map(([name, spec]) => `add map ${TABLE} ${name} ${spec}`),
    ...chains.flatMap(([name, lines]) => [
      `add chain ${TABLE} ${name}`,
      `flush chain ${TABLE} ${name}`,
      ...lines.map((line) => `add rule ${TABLE} ${name} ${line}`),
    ]),
    ...elementLines('delete', gone, (element) => element.key),
    ...elementLines('add', fresh, written),
    ...missing(before.chains, after.chains).map(([name]) => `delete chain ${TABLE} ${name}`),
    ...missing(before.maps, after.maps).map(([name]) => `delete map ${TABLE} ${name}`),
  ];
}

export function written({ key, data, comment }: Element): string {
  const label = comment === undefined ? '' : ` comment "${comment}"`;
  return `${key}${label}${data === '' ? '' : ` : ${data}`}`;
}

/** A statement per set. */
function elementLines(
  verb: 'add' | 'delete',
  elements: readonly (readonly [string, Element])[],
  text: (element: Element) => string,
): string[] {
  const bySet = Map.groupBy(elements, ([, { set }]) => set);
  return [...bySet].map(
    ([set, list]) => `${verb} element ${TABLE} ${set} { ${list.map(([, element]) => text(element)).join(', ')} }`,
  );
}

/** What `a` has and `b` has not, or has otherwise. */
function only<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, same: (x: T, y: T) => boolean): [string, T][] {
  return [...a].filter(([key, value]) => {
    const other = b.get(key);
    return other === undefined || !same(value, other);
  });
}

function missing<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): [string, T][] {
  return [...a].filter(([key]) => !b.has(key));
}

function sameElement(a: Element, b: Element): boolean {
  return a.data === b.data && a.comment === b.comment;
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
