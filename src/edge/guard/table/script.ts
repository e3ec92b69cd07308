/** A difference as texts for nft: what comes before the swap, what goes after it, and the whole table at once. Pure. */
import type { Element } from '../../../linux/nft/transaction.ts';
import { OWNER_CHAIN } from '../../../linux/nft/whole-tables.ts';
import type { Difference } from '../contents/difference.ts';
import { frame, hooks, MAPS, type Signed, STAND_IN, TABLE, type TableName, without } from '../layout.ts';

/** Name of a list's set → its networks, of which none lies in another. */
export type Networks = ReadonlyMap<string, readonly string[]>;

/** '' where nothing new is needed. */
export function before(difference: Difference, networks: Networks): string {
  return text(fresh(TABLE, difference, networks, new Map()));
}

/** '' where nothing is left over. */
export function after({ gone }: Difference): string {
  return text([
    ...gone.chains.map((name) => `delete chain ${TABLE} ${name}`),
    ...gone.sets.map((name) => `delete set ${TABLE} ${name}`),
    ...gone.counters.map((name) => `delete counter ${TABLE} ${name}`),
  ]);
}

/**
 * From nothing, in the place of a table of that name: one transaction. Packets that are on their way at that
 * moment may pass by it all the same, because the kernel looks elements up by the generation of the moment, so that the rules
 * of the old one find none: where no packet may, STAND_IN is in force meanwhile.
 */
export function whole(difference: Difference, networks: Networks, signed: Signed, table: TableName = TABLE): string {
  const elements = new Map(difference.swap.map(({ set, elements }) => [set, elements.map(written)]));
  const maps = [...MAPS].map(([name, spec]) => `add map ${table} ${name} ${holding(spec, elements.get(name))}`);
  return text([...frame(table, signed), ...fresh(table, difference, networks, elements), ...maps, ...hooks(table)]);
}

/** A dead edge's becomes this one's. */
export function reowned(owner: string, former: readonly string[]): string {
  const gone = former.map((id) => `delete chain ${TABLE} ${OWNER_CHAIN}${id}`);
  return text([`add chain ${TABLE} ${OWNER_CHAIN}${owner}`, ...gone]);
}

export const REMOVE_STAND_IN = text(without(STAND_IN));
/** Both. */
export const REMOVE = text(without(STAND_IN, TABLE));

/**
 * Elements stand in the declaration of their set. not: `add element`, and no listing: for these nft 1.0.6 fetches every
 * element of every interval set of the table first, which is seconds beside a list of 100,000 networks.
 */
function fresh(
  table: TableName,
  { counters, sets, lists, chains }: Difference,
  networks: Networks,
  elements: Networks,
): string[] {
  return [
    ...counters.map((name) => `add counter ${table} ${name}`),
    ...sets.map(([name, spec]) => `add set ${table} ${name} ${holding(spec, elements.get(name))}`),
    ...lists.map(({ name, family }) => {
      const spec = `{ type ipv${family}_addr; flags interval; }`;
      return `add set ${table} ${name} ${holding(spec, networks.get(name))}`;
    }),
    ...chains.flatMap(([name, lines]) => [
      `add chain ${table} ${name}`,
      ...lines.map((line) => `add rule ${table} ${name} ${line}`),
    ]),
  ];
}

function holding(spec: string, elements: readonly string[] = []): string {
  return elements.length === 0 ? spec : spec.replace(/\}$/, `elements = { ${elements.join(', ')} } }`);
}

function written({ key, data, timeoutMs }: Element): string {
  if (data !== '') return `${key} : ${data}`;
  return timeoutMs === undefined ? key : `${key} timeout ${timeoutMs}ms`;
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
