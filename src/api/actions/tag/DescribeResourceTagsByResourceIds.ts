import { list, object, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { isSeen } from '../../handling/zones.ts';

/** limit: of the tag product. */
const MOST_RESOURCES = 50;
const MOST_LIMIT = 200;
const DEFAULT_LIMIT = 15;

const TAG_RESOURCE = object(
  {
    TagKey: string('Tag key.'),
    TagValue: string('Tag value.'),
    ResourceId: string('Resource ID.'),
    ServiceType: string('Product of the resource.'),
  },
  'A tag of a resource.',
);

export const DescribeResourceTagsByResourceIds = action({
  summary: 'List the tags of zones. An action of the tag product, which Terraform asks about every zone.',
  access: 'read',
  touches: 'seen',
  service: 'tag',
  request: {
    ServiceType: string('Product: teo. Anything else has no tags here.'),
    ResourcePrefix: string('Kind of resource: zone. Anything else has no tags here.'),
    ResourceIds: list(string('Zone ID.'), 'Zone IDs.', { max: MOST_RESOURCES }),
    ResourceRegion: optional(string('Region; ignored.')),
    Offset: optional(unsigned('How many to skip; default 0.')),
    Limit: optional(unsigned(`How many to return; default ${DEFAULT_LIMIT}.`, { max: MOST_LIMIT })),
  },
  response: {
    TotalCount: unsigned('How many tags there are.'),
    Offset: unsigned('As given.'),
    Limit: unsigned('As given, or the default.'),
    Tags: list(TAG_RESOURCE, 'The tags.'),
  },
  errors: [],
  example: {
    title: 'List the tags of a zone',
    request: { ServiceType: 'teo', ResourcePrefix: 'zone', ResourceIds: ['zone-3kq782jghthh'] },
    response: {
      TotalCount: 1,
      Offset: 0,
      Limit: 15,
      Tags: [{ TagKey: 'team', TagValue: 'games', ResourceId: 'zone-3kq782jghthh', ServiceType: 'teo' }],
    },
  },
  handle(tx, { ServiceType, ResourcePrefix, ResourceIds, Offset = 0, Limit = DEFAULT_LIMIT }) {
    const ids = ServiceType === 'teo' && ResourcePrefix === 'zone' ? [...new Set(ResourceIds)] : [];
    const zones = ids.flatMap((id) => tx.get(keys.zone(id)) ?? []);
    const tags = zones
      .filter((zone) => isSeen(tx, zone))
      .flatMap((zone) =>
        zone.tags.map(({ key, value }) => ({ TagKey: key, TagValue: value, ResourceId: zone.id, ServiceType })),
      );
    return { TotalCount: tags.length, Offset, Limit, Tags: tags.slice(Offset, Offset + Limit) };
  },
});
