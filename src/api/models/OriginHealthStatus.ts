/** The cloud's OriginHealthStatus, an origin and how it is, and what is told of a group: as most sites see it, and by site. */
import { checkOwner, HEALTH_WORDS, type HealthView, overall, siteViews } from '../../domain/load-balancer/health.ts';
import type { LoadBalancer } from '../../domain/load-balancer/load-balancer.ts';
import type { OriginGroup } from '../../domain/origin-group/origin-group.ts';
import { type Infer, list, object, oneOf, string } from '../../shape/shape.ts';

const HEALTHY = oneOf(HEALTH_WORDS, 'Health; Undetected where nothing is known yet.');
const ORIGIN_HEALTH_STATUS = object({ Origin: string('The origin.'), Healthy: HEALTHY }, 'The health of an origin.');
export const ORIGIN_HEALTH = list(ORIGIN_HEALTH_STATUS, 'Health of each origin, as most sites see it.');

const REGION_HEALTH = object(
  {
    // wire: the cloud has codes of countries here; a site is what stands in their place.
    Region: string('ID of the site that checks.'),
    Healthy: HEALTHY,
    OriginHealthStatus: list(ORIGIN_HEALTH_STATUS, 'Health of each origin, as the site sees it.'),
  },
  'A group as one site sees it.',
);

export const GROUP_HEALTH_DETAIL = object(
  {
    OriginGroupId: string('Origin group ID.'),
    OriginHealthStatus: ORIGIN_HEALTH,
    CheckRegionHealthStatus: list(REGION_HEALTH, 'The same by site; Healthy where all of the origins are.'),
  },
  'The health of a group.',
);

type Group = Pick<OriginGroup, 'id' | 'records'>;
type Balancer = Pick<LoadBalancer, 'id' | 'checker'>;

export function showOriginHealth(
  balancer: Balancer,
  group: Group,
  health: HealthView,
): Infer<typeof ORIGIN_HEALTH_STATUS.fields>[] {
  return reportsOf(balancer, group, health).map(({ host, reports }) => ({ Origin: host, Healthy: overall(reports) }));
}

export function showGroupHealth(
  balancer: Balancer,
  group: Group,
  health: HealthView,
): Infer<typeof GROUP_HEALTH_DETAIL.fields> {
  return {
    OriginGroupId: group.id,
    OriginHealthStatus: showOriginHealth(balancer, group, health),
    CheckRegionHealthStatus: siteViews(reportsOf(balancer, group, health)).map(({ site, together, origins }) => ({
      Region: site,
      Healthy: together,
      OriginHealthStatus: origins.map(({ host, word }) => ({ Origin: host, Healthy: word })),
    })),
  };
}

function reportsOf(balancer: Balancer, { id, records }: Group, health: HealthView) {
  const owner = checkOwner(balancer, id);
  return records.map(({ host }) => ({ host, reports: health.reported(owner, id, host) }));
}
