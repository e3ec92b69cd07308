import { list, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { balancerOf } from '../../handling/load-balancers.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { GROUP_HEALTH_DETAIL, showGroupHealth } from '../../models/OriginHealthStatus.ts';

/** limit: ours; a balancer has no more groups than ten. */
const MOST_NAMED = 100;

export const DescribeOriginGroupHealthStatus = action({
  summary: 'Show the health of the origins of a load balancer, as most sites see it and by site.',
  access: 'read',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    LBInstanceId: string('Load balancer ID.'),
    OriginGroupIds: optional(
      list(string('Origin group ID.'), 'Groups of the balancer to show; default all.', { max: MOST_NAMED }),
    ),
  },
  response: { OriginGroupHealthStatusList: list(GROUP_HEALTH_DETAIL, 'The groups of the balancer, each once.') },
  errors: [
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
    'UnauthorizedOperation.Unknown',
  ],
  example: {
    title: 'Ask before any site has checked the origins',
    request: { ZoneId: 'zone-24wjy25v1cwi', LBInstanceId: 'lb-2qwk27xf7j9g' },
    response: {
      OriginGroupHealthStatusList: [
        {
          OriginGroupId: 'og-30l5kv5z2bse',
          OriginHealthStatus: [{ Origin: '10.0.0.8', Healthy: 'Undetected' }],
          CheckRegionHealthStatus: [],
        },
      ],
    },
  },
  handle(tx, { ZoneId, LBInstanceId, OriginGroupIds = [] }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const balancer = tx.must(balancerOf(tx, zone.id, LBInstanceId));
    const ids = [...new Set(balancer.groups.map(({ group }) => group))];
    const shown = OriginGroupIds.length === 0 ? ids : ids.filter((id) => OriginGroupIds.includes(id));
    const groups = shown.flatMap((id) => tx.peek(keys.originGroup(zone.id, id)) ?? []);
    const { health } = tx.around.facts;
    return { OriginGroupHealthStatusList: groups.map((group) => showGroupHealth(balancer, group, health)) };
  },
});
