/** The cloud's Plan, as DescribePlans shows it. */
import { isLive, PLAN_STATUSES, planStatus, zonesAllowed } from '../../domain/zone/plan.ts';
import type { Plan, Zone } from '../../domain/zone/zone.ts';
import { cloudTime } from '../../shape/time.ts';
import { boolean, type Infer, integer, list, object, oneOf, string } from '../../shape/shape.ts';

const ZONE_INFO = object(
  {
    ZoneId: string('Zone ID.'),
    ZoneName: string('Domain of the zone; empty where it has none.'),
    Paused: boolean('Whether the zone is disabled.'),
  },
  'A zone bound to the plan.',
);
const capacity = (what: string) => integer(`Included ${what}. 0: nothing is metered here, so nothing runs out.`);

export const PLAN = object(
  {
    PlanType: string('Plan type.'),
    PlanId: string('Plan ID.'),
    Area: oneOf(['mainland', 'overseas', 'global'], 'Service area.'),
    AutoRenewal: boolean('Whether it renews itself.'),
    Status: oneOf(PLAN_STATUSES, 'Status.'),
    PayMode: integer('0: paid afterwards; 1: prepaid.'),
    ZonesInfo: list(ZONE_INFO, 'Zones bound to the plan.'),
    SmartRequestCapacity: capacity('smart acceleration requests'),
    VAUCapacity: capacity('VAU'),
    AccTrafficCapacity: capacity('content acceleration traffic, bytes'),
    SmartTrafficCapacity: capacity('smart acceleration traffic, bytes'),
    DDoSTrafficCapacity: capacity('DDoS protection traffic, bytes'),
    SecTrafficCapacity: capacity('security traffic, bytes'),
    SecRequestCapacity: capacity('security requests'),
    L4TrafficCapacity: capacity('Layer 4 traffic, bytes'),
    CrossMLCTrafficCapacity: capacity('mainland acceleration traffic, bytes'),
    Bindable: oneOf(['true', 'false'], 'Whether a zone can be bound to it. A text, as in the cloud.'),
    EnabledTime: string('When it began.', { format: 'time' }),
    ExpiredTime: string('When it ends.', { format: 'time' }),
    Features: list(string('Feature.'), 'What zones on the plan can do.'),
  },
  'A plan.',
);

/** Only what EdgeFour does. */
const FEATURES: readonly string[] = ['L4', 'L4DDoS', 'CrossMLC'];

/** `bound` counts all its zones, `zones` are those to show. */
export function showPlan(plan: Plan, bound: number, zones: readonly Zone[], now: number): Infer<typeof PLAN.fields> {
  const bindable = isLive(plan, now) && bound < zonesAllowed(plan.type);
  return {
    PlanType: plan.type,
    PlanId: plan.id,
    Area: plan.area,
    AutoRenewal: plan.autoRenewal,
    Status: planStatus(plan, now),
    PayMode: plan.type === 'plan-enterprise' ? 0 : 1,
    ZonesInfo: zones.map(({ id, name, paused }) => ({ ZoneId: id, ZoneName: name, Paused: paused })),
    SmartRequestCapacity: 0,
    VAUCapacity: 0,
    AccTrafficCapacity: 0,
    SmartTrafficCapacity: 0,
    DDoSTrafficCapacity: 0,
    SecTrafficCapacity: 0,
    SecRequestCapacity: 0,
    L4TrafficCapacity: 0,
    CrossMLCTrafficCapacity: 0,
    Bindable: bindable ? 'true' : 'false',
    EnabledTime: cloudTime(plan.enabledAt),
    ExpiredTime: cloudTime(plan.expiresAt),
    Features: plan.type === 'plan-enterprise' ? [...FEATURES] : [],
  };
}
