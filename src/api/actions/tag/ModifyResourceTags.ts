import { changedTags } from '../../../domain/zone/tags.ts';
import { list, object, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { readTags, TAGS } from '../../models/Tag.ts';

/** `qcs::teo:<region>:uin/<account>:zone/<zone>`; region and account may be empty. */
const RESOURCE = /^qcs::teo:[\w-]*:uin\/\d*:zone\/([\w-]+)$/;

const zoneIn = (resource: string): string => RESOURCE.exec(resource)?.[1] ?? '';

export const ModifyResourceTags = action({
  summary: 'Put and remove tags of a zone. An action of the tag product, which Terraform uses for zones.',
  access: 'write',
  touches: { zones: ({ Resource }) => [zoneIn(Resource)] },
  service: 'tag',
  request: {
    Resource: string('Resource name of a zone: qcs::teo::uin/:zone/zone-….', { pattern: RESOURCE }),
    ReplaceTags: optional(TAGS),
    DeleteTags: optional(list(object({ TagKey: string('Tag key.') }, 'A tag key.'), 'Tags to remove.')),
  },
  response: {},
  errors: ['InvalidParameterValue', 'InvalidParameterValue.InvalidTagValue', 'ResourceNotFound'],
  example: {
    title: 'Put one tag and remove another',
    request: {
      Resource: 'qcs::teo::uin/:zone/zone-3kq782jghthh',
      ReplaceTags: [{ TagKey: 'team', TagValue: 'games' }],
      DeleteTags: [{ TagKey: 'owner' }],
    },
    response: {},
  },
  handle(tx, { Resource, ReplaceTags, DeleteTags = [] }) {
    const zone = tx.must(zoneOf(tx, zoneIn(Resource)));
    const remove = DeleteTags.map(({ TagKey }) => TagKey);
    const tags = tx.must(changedTags(zone.tags, readTags(ReplaceTags), remove));
    tx.put(keys.zone(zone.id), { ...zone, tags, modifiedAt: tx.now });
    return {};
  },
});
