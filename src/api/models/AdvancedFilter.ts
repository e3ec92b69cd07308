/** The cloud's AdvancedFilter: a Filter whose values may also be parts of what is looked for. */
import { type Fault, refuse } from '../../faults/fault.ts';
import { boolean, type Infer, list, object, optional, string } from '../../shape/shape.ts';

/** limit: values per filter; spec section 17. */
const MOST_VALUES = 20;

const ADVANCED_FILTER = object(
  {
    Name: string('Name of the filter.'),
    Values: list(string('Value.'), 'Values; one of them must match.', { max: MOST_VALUES }),
    Fuzzy: optional(boolean('Whether a value may be a part of the field; for names only.')),
  },
  'A filter.',
);
type AdvancedFilter = Infer<typeof ADVANCED_FILTER.fields>;

export const advancedFilters = (names: readonly string[]) =>
  optional(list(ADVANCED_FILTER, `Filters, all of which must match: ${names.join(', ')}.`));

/** The values of each field that filters may name. A filter matches where any value of its field does. */
export type Matched<N extends string> = Readonly<Record<N, readonly string[]>>;

/** Whether something passes all filters of the request. wire: `Filters: []` is the same as no filters. */
export function readAdvancedFilters<N extends string>(
  given: readonly AdvancedFilter[] | undefined,
  names: readonly N[],
  fuzzy: readonly N[],
): ((fields: Matched<N>) => boolean) | Fault<'InvalidParameterValue'> {
  const tests: ((fields: Matched<N>) => boolean)[] = [];
  for (const [i, { Name, Values, Fuzzy = false }] of (given ?? []).entries()) {
    const name = names.find((name) => name === Name);
    if (name === undefined)
      return refuse('InvalidParameterValue', `Filters.${i}.Name: use one of ${names.join(', ')}.`);
    if (Fuzzy && !fuzzy.includes(name))
      return refuse('InvalidParameterValue', `Filters.${i}.Fuzzy: only with ${fuzzy.join(' or ')}.`);
    tests.push((fields) =>
      fields[name].some((field) => Values.some((value) => (Fuzzy ? field.includes(value) : field === value))),
    );
  }
  return (fields) => tests.every((passes) => passes(fields));
}
