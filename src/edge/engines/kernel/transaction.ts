/**
 * From what rules have in the table to what they should have: the statements that nft applies in one transaction, only
 * where something differs. Elements that stay keep their counters. Pure.
 */
import type { Element, Pieces } from './pieces.ts';
import { type SetName, TABLE } from './table.ts';

/** A line for nft, or elements of one set that come or go. */
export type Statement = string | ElementChange;

export interface ElementChange {
  readonly verb: 'add' | 'delete';
  readonly set: SetName;
  readonly elements: readonly Element[];
}

/**
 * Statements that turn `before` into `after`. order: what is jumped to is there before the jump, and goes after it; an
 * element that changes goes and comes in one transaction, so no packet finds neither.
 */
export function difference(before: Pieces, after: Pieces): Statement[] {
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
    ...elementChanges('delete', gone),
    ...elementChanges('add', fresh),
    ...missing(before.chains, after.chains).map(([name]) => `delete chain ${TABLE} ${name}`),
    ...missing(before.maps, after.maps).map(([name]) => `delete map ${TABLE} ${name}`),
  ];
}

/** For `nft -f`. */
export function textOf(statements: readonly Statement[]): string {
  return statements.map((one) => `${typeof one === 'string' ? one : elementLine(one)}\n`).join('');
}

function elementLine({ verb, set, elements }: ElementChange): string {
  const list = elements.map((element) => (verb === 'add' ? written(element) : element.key));
  return `${verb} element ${TABLE} ${set} { ${list.join(', ')} }`;
}

function written({ key, data, comment }: Element): string {
  const label = comment === undefined ? '' : ` comment "${comment}"`;
  return `${key}${label}${data === '' ? '' : ` : ${data}`}`;
}

function elementChanges(
  verb: ElementChange['verb'],
  elements: readonly (readonly [string, Element])[],
): ElementChange[] {
  const bySet = Map.groupBy(elements, ([, { set }]) => set);
  return [...bySet].map(([set, list]) => ({ verb, set, elements: list.map(([, element]) => element) }));
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

export function sameElement(a: Element, b: Element): boolean {
  return a.data === b.data && a.comment === b.comment;
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
