/** The cloud's Filter: a name and up to 20 values, any of which may match; several filters must all match. */
import { type Fault, refuse } from '../../faults/fault.ts';
import { type Infer, list, object, optional, string, unsigned } from '../../shape/shape.ts';

/** limit: values per filter; spec section 17. */
const MOST_VALUES = 20;
/** limit: of a page; spec section 17. */
const DEFAULT_LIMIT = 20;
export const MOST_LIMIT = 1000;

const FILTER = object(
  {
    Name: string('Name of the filter.'),
    Values: list(string('Value.'), 'Values; one of them must match.', { max: MOST_VALUES }),
  },
  'A filter.',
);
type Filter = Infer<typeof FILTER.fields>;

export const filters = (names: readonly string[]) =>
  optional(list(FILTER, `Filters, all of which must match: ${names.join(', ')}.`));

/**
 * Filter name → the values that match, for the filters of the request; a name given twice keeps what is in both.
 * wire: `Filters: []` is the same as no filters.
 */
export function readFilters<N extends string>(
  given: readonly Filter[] | undefined,
  names: readonly N[],
): ReadonlyMap<N, ReadonlySet<string>> | Fault<'InvalidParameterValue'> {
  const read = new Map<N, ReadonlySet<string>>();
  for (const [i, { Name, Values }] of (given ?? []).entries()) {
    const name = names.find((name) => name === Name);
    if (name === undefined)
      return refuse(
        'InvalidParameterValue',
        `Filters.${i}.Name: there is no filter \`${Name}\`; use ${names.join(' or ')}.`,
      );
    const before = read.get(name);
    read.set(name, before ? new Set(Values.filter((value) => before.has(value))) : new Set(Values));
  }
  return read;
}

/** Which part of a list is asked for: fields of its request. */
export const pageFields = (most = MOST_LIMIT) => ({
  Offset: optional(unsigned('How many to skip; default 0.')),
  Limit: optional(unsigned(`How many to return; default ${DEFAULT_LIMIT}, at most ${most}.`, { max: most })),
});

interface PageRequest {
  readonly Offset?: number;
  readonly Limit?: number;
}

/** wire: a Limit of 0 is the default; doc examples send it. */
export function pageOf({ Offset = 0, Limit = 0 }: PageRequest): { readonly offset: number; readonly limit: number } {
  return { offset: Offset, limit: Limit === 0 ? DEFAULT_LIMIT : Limit };
}
