/** The tags of a zone: their form, and how calls change them. Pure. */
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Zone } from './zone.ts';

type Tags = Zone['tags'];

/** limit: of the cloud's tag product. */
const MOST_TAGS = 50;
const MOST_KEY = 127;
const MOST_VALUE = 255;

/** Sorted by key, which is how they are kept and shown. */
export function checkedTags(tags: Tags): Tags | Fault<'InvalidParameterValue.InvalidTagValue'> {
  const no = (why: string) => refuse('InvalidParameterValue.InvalidTagValue', why);
  if (tags.length > MOST_TAGS) return no(`A zone has ${MOST_TAGS} tags at most.`);
  const seen = new Set<string>();
  for (const { key, value } of tags) {
    if (key.length < 1 || key.length > MOST_KEY) return no(`A tag key has 1 to ${MOST_KEY} characters.`);
    if (value.length > MOST_VALUE) return no(`The value of tag \`${key}\` has more than ${MOST_VALUE} characters.`);
    if (seen.has(key)) return no(`Tag \`${key}\` is given twice.`);
    seen.add(key);
  }
  return tags.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** Tags that are not named stay. */
export function changedTags(tags: Tags, put: Tags, remove: readonly string[]): ReturnType<typeof checkedTags> {
  const named = new Set([...remove, ...put.map(({ key }) => key)]);
  return checkedTags([...tags.filter(({ key }) => !named.has(key)), ...put]);
}
