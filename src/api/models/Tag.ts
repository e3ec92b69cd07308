/** The cloud's Tag. */
import type { Zone } from '../../domain/zone/zone.ts';
import { type Infer, list, object, string } from '../../shape/shape.ts';

const TAG = object({ TagKey: string('Tag key.'), TagValue: string('Tag value.') }, 'A tag.');
type Tag = Infer<typeof TAG.fields>;
export const TAGS = list(TAG, 'Tags.');

export function readTags(tags: readonly Tag[] = []): Zone['tags'] {
  return tags.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue }));
}

export function showTags(tags: Zone['tags']): Tag[] {
  return tags.map(({ key, value }) => ({ TagKey: key, TagValue: value }));
}
