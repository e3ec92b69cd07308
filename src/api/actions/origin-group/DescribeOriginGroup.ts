import type { OriginGroup } from '../../../domain/origin-group/origin-group.ts';
import { list, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { NO_SECRETS } from '../../handling/origin-groups.ts';
import { referrersOf } from '../../handling/uses.ts';
import { zonesSeen } from '../../handling/zones.ts';
import { advancedFilters, readAdvancedFilters } from '../../models/AdvancedFilter.ts';
import { pageFields, pageOf } from '../../models/Filter.ts';
import { ORIGIN_GROUP, showGroup } from '../../models/OriginGroup.ts';

const FUZZY = ['origin-group-name'] as const;
/** wire: `zone-id` is what Terraform's data source sends in place of ZoneId. */
const FILTERS = ['origin-group-id', ...FUZZY, 'zone-id'] as const;

export const DescribeOriginGroup = action({
  summary: 'List the origin groups of a zone, or of all zones.',
  access: 'read',
  touches: 'seen',
  request: {
    // wire: Terraform looks for a group by its id alone.
    ZoneId: optional(string('Zone ID; without it, groups of all zones are shown.')),
    ...pageFields(),
    Filters: advancedFilters(FILTERS),
  },
  response: {
    TotalCount: unsigned('How many groups match.'),
    OriginGroups: list(ORIGIN_GROUP, 'The groups.'),
  },
  errors: [
    'InvalidParameterValue',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
    'UnauthorizedOperation.Unknown',
  ],
  example: {
    title: 'Look up one group by its ID',
    request: {
      Offset: 0,
      Limit: 20,
      Filters: [{ Name: 'origin-group-id', Values: ['og-30l5kv5z2bse'] }],
    },
    response: {
      TotalCount: 1,
      OriginGroups: [
        {
          GroupId: 'og-30l5kv5z2bse',
          Name: 'web',
          Type: 'GENERAL',
          Records: [
            {
              Record: '10.0.0.8',
              Type: 'IP_DOMAIN',
              RecordId: 'record-6c1f5a6b-7b0e-4f1c-9d6b-4c2f3a1e8d90',
              Weight: 75,
              Private: false,
              PrivateParameters: [],
            },
          ],
          References: [
            {
              InstanceType: 'application-proxy',
              InstanceId: 'sid-2qwk27xf7j9g',
              InstanceName: 'myproxy',
              ZoneId: 'zone-24wjy25v1cwi',
              ZoneName: '',
              AliasZoneName: '',
            },
          ],
          CreateTime: '2023-09-22T15:31:04Z',
          UpdateTime: '2023-09-22T15:31:04Z',
          HostHeader: '',
        },
      ],
    },
  },
  handle(tx, { ZoneId, Filters, ...page }) {
    const passes = tx.must(readAdvancedFilters(Filters, FILTERS, FUZZY));
    const zones = ZoneId === undefined ? zonesSeen(tx) : [tx.must(zoneOf(tx, ZoneId))];
    const matching = zones.flatMap((zone) =>
      tx
        .list(keys.originGroups(zone.id))
        .flatMap(({ value: group }) => (passes(fieldsOf(group)) ? { zone, group } : [])),
    );
    const { offset, limit } = pageOf(page);
    const show = ({ zone, group }: (typeof matching)[number]) => {
      const secrets = tx.get(keys.originSecrets(zone.id, group.id)) ?? NO_SECRETS;
      return showGroup(group, secrets, referrersOf(tx, zone.id, group.id), zone);
    };
    return { TotalCount: matching.length, OriginGroups: matching.slice(offset, offset + limit).map(show) };
  },
});

function fieldsOf({ id, name, zone }: OriginGroup) {
  return { 'origin-group-id': [id], 'origin-group-name': [name], 'zone-id': [zone] };
}
