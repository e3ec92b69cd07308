/**
 * From a table's content to the wanted one: the statements that nft applies in one transaction, only where something
 * differs. Elements that stay keep their counters. Pure.
 */
import type { Table } from './nf-tables.ts';

/** One element of a set or map. */
export interface Element<Set extends string = string> {
  readonly set: Set;
  readonly key: string;
  /** The key's value; '' in a set. */
  readonly data: string;
  readonly comment?: string;
  /** Milliseconds until the kernel removes it; absent: it stays. */
  readonly timeoutMs?: number;
}

/** The content of a table beside its fixed part. */
export interface Pieces<Set extends string = string> {
  /** By set and key. */
  readonly elements: ReadonlyMap<string, Element<Set>>;
  /** Chains: name → lines. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Maps: name → how nft declares it. */
  readonly maps: ReadonlyMap<string, string>;
}

/** A line for nft, or elements of one set that come or go, or a chain or a map that does. */
export type Statement<Set extends string = string> = string | ElementChange<Set> | ChainChange | MapChange;

/** With these lines instead of what it had; `undefined`: it goes. */
interface ChainChange {
  readonly chain: string;
  readonly lines: readonly string[] | undefined;
}

/** As nft declares it; `undefined`: it goes. */
interface MapChange {
  readonly map: string;
  readonly spec: string | undefined;
}

export interface ElementChange<Set extends string = string> {
  readonly verb: 'add' | 'delete';
  readonly set: Set;
  readonly elements: readonly Element<Set>[];
}

/**
 * Statements that turn `before` into `after`. order: a chain is there before a jump to it, and goes after it; an
 * element that changes goes and comes in one transaction, so each packet finds one of both.
 */
export function difference<Set extends string>(before: Pieces<Set>, after: Pieces<Set>): Statement<Set>[] {
  const gone = only(before.elements, after.elements, sameElement);
  const fresh = only(after.elements, before.elements, sameElement);
  const chains = only(after.chains, before.chains, sameLines);
  return [
    ...missing(after.maps, before.maps).map(([map, spec]) => ({ map, spec })),
    ...chains.map(([chain, lines]) => ({ chain, lines })),
    ...elementChanges('delete', gone),
    ...elementChanges('add', fresh),
    ...missing(before.chains, after.chains).map(([chain]) => ({ chain, lines: undefined })),
    ...missing(before.maps, after.maps).map(([map]) => ({ map, spec: undefined })),
  ];
}

/** For `nft -f`. */
export function textOf(table: Pick<Table, 'name'>, statements: readonly Statement[]): string {
  return statements.map((one) => `${lineOf(table, one)}\n`).join('');
}

function lineOf(table: Pick<Table, 'name'>, one: Statement): string {
  if (typeof one === 'string') return one;
  if ('verb' in one) return elementLine(table, one);
  const inet = `inet ${table.name}`;
  if ('map' in one)
    return one.spec === undefined ? `delete map ${inet} ${one.map}` : `add map ${inet} ${one.map} ${one.spec}`;
  const name = `${inet} ${one.chain}`;
  if (one.lines === undefined) return `delete chain ${name}`;
  return [`add chain ${name}`, `flush chain ${name}`, ...one.lines.map((line) => `add rule ${name} ${line}`)].join(
    '\n',
  );
}

function elementLine({ name: table }: Pick<Table, 'name'>, { verb, set, elements }: ElementChange): string {
  const list = elements.map((element) => (verb === 'add' ? written(element) : element.key));
  return `${verb} element inet ${table} ${set} { ${list.join(', ')} }`;
}

function written({ key, data, comment }: Element): string {
  const label = comment === undefined ? '' : ` comment "${comment}"`;
  return `${key}${label}${data === '' ? '' : ` : ${data}`}`;
}

function elementChanges<Set extends string>(
  verb: ElementChange['verb'],
  elements: readonly (readonly [string, Element<Set>])[],
): ElementChange<Set>[] {
  const bySet = Map.groupBy(elements, ([, { set }]) => set);
  return [...bySet].map(([set, list]) => ({ verb, set, elements: list.map(([, element]) => element) }));
}

/** Entries of `a` that `b` lacks, or has otherwise. */
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
  return a === b || (a.data === b.data && a.comment === b.comment);
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
