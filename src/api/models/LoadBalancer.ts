/** The cloud's LoadBalancer as DescribeLoadBalancerList shows it, and the fields in which callers write one. */
import { MOST_PRIORITY } from '../../domain/load-balancer/change.ts';
import type { HealthView } from '../../domain/load-balancer/health.ts';
import { BALANCER_TYPES, FAILOVERS, type LoadBalancer } from '../../domain/load-balancer/load-balancer.ts';
import type { OriginGroup } from '../../domain/origin-group/origin-group.ts';
import { BALANCER_STATUSES, balancerStatus, type AckView } from '../../domain/status.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { type Infer, list, object, oneOf, optional, string } from '../../shape/shape.ts';
import type { Defaults } from '../handling/transaction.ts';
import { HEALTH_CHECKER, readChecker, showChecker } from './HealthChecker.ts';
import { REFERENCES, type Referrer, showReference } from './OriginGroupReference.ts';
import { ORIGIN_HEALTH, showOriginHealth } from './OriginHealthStatus.ts';

/** limit: spec section 8.1. */
export const BALANCER_NAME = string('Name: 1 to 200 of a-z, A-Z, 0-9, _ and -.', { pattern: /^[\w-]{1,200}$/ });
export const BALANCER_TYPE = oneOf(BALANCER_TYPES, 'GENERAL: for L4 rules, of GENERAL groups. HTTP: not for Layer 4.');

const PRIORITIES = Array.from({ length: MOST_PRIORITY }, (_, i) => `priority_${i + 1}` as const);
const PRIORITY = oneOf(PRIORITIES, 'priority_1 comes first, priority_10 last.');

export const ORIGIN_GROUPS = list(
  object({ Priority: PRIORITY, OriginGroupId: string('Origin group ID.') }, 'A group.'),
  'The origin groups, each priority once.',
  { min: 1, max: MOST_PRIORITY, fault: 'InvalidParameter.LoadBalancerBindOriginGroupInvalid' },
);

/** wire: misspelled so in the cloud. */
export const STEERING_POLICY = oneOf(
  ['Pritory'],
  'Traffic goes to the first group whose origins answer; the only policy.',
  {
    emptyIsAbsent: true,
  },
);
export const FAILOVER_POLICY = oneOf(
  FAILOVERS,
  'Where a connection that could not be made is tried next; not with the kernel engine, where clients dial themselves.',
  {
    emptyIsAbsent: true,
  },
);

const GROUP_HEALTH = object(
  {
    // wire: spelled with a capital D here, and nowhere else.
    OriginGroupID: string('Origin group ID.'),
    OriginGroupName: string('Name of the group.'),
    OriginType: BALANCER_TYPE,
    Priority: PRIORITY,
    OriginHealthStatus: ORIGIN_HEALTH,
  },
  'A group of the balancer, with the health of its origins.',
);

export const LOAD_BALANCER = object(
  {
    InstanceId: string('Load balancer ID.'),
    Name: string('Name.'),
    Type: BALANCER_TYPE,
    HealthChecker: optional(HEALTH_CHECKER),
    SteeringPolicy: optional(STEERING_POLICY),
    FailoverPolicy: optional(FAILOVER_POLICY),
    OriginGroupHealthStatus: list(GROUP_HEALTH, 'The groups, as they were written.'),
    Status: oneOf(BALANCER_STATUSES, 'Running: every edge knows it.'),
    L4UsedList: list(string('L4 proxy instance ID.'), 'L4 proxies with rules on it.'),
    L7UsedList: list(string('Domain.'), 'Always empty.'),
    References: REFERENCES,
  },
  'A load balancer.',
);

interface Sent {
  readonly OriginGroups?: Infer<{ list: typeof ORIGIN_GROUPS }>['list'];
  readonly HealthChecker?: Infer<typeof HEALTH_CHECKER.fields>;
  readonly SteeringPolicy?: 'Pritory';
  readonly FailoverPolicy?: (typeof FAILOVERS)[number];
}

/** The settings that were sent, under the domain's names. */
export function readBalancer({ OriginGroups, HealthChecker, SteeringPolicy, FailoverPolicy }: Sent) {
  return {
    ...(OriginGroups && { groups: readGroups(OriginGroups) }),
    ...(HealthChecker && { checker: readChecker(HealthChecker) }),
    ...(SteeringPolicy && { steering: SteeringPolicy }),
    ...(FailoverPolicy && { failover: FailoverPolicy }),
  };
}

export function readGroups(groups: NonNullable<Sent['OriginGroups']>): LoadBalancer['groups'] {
  return groups.map(({ Priority, OriginGroupId }) => ({
    priority: PRIORITIES.indexOf(Priority) + 1,
    group: OriginGroupId,
  }));
}

interface Around {
  readonly acks: AckView;
  readonly health: HealthView;
  readonly defaults: Defaults;
  /** Those of the balancer, by id. */
  readonly groups: ReadonlyMap<string, OriginGroup>;
}

export function showBalancer(
  balancer: LoadBalancer,
  referrers: readonly Referrer[],
  zone: Zone,
  { acks, health, defaults, groups }: Around,
): Infer<typeof LOAD_BALANCER.fields> {
  const { id, name, type, checker, steering, failover } = balancer;
  const shown = showChecker(checker, defaults);
  const policies = { SteeringPolicy: 'Pritory', FailoverPolicy: 'OtherRecordInOriginGroup' } as const;
  return {
    InstanceId: id,
    Name: name,
    Type: type,
    ...(shown && { HealthChecker: shown }),
    ...(defaults === 'shown' && policies),
    ...(steering && { SteeringPolicy: steering }),
    ...(failover && { FailoverPolicy: failover }),
    OriginGroupHealthStatus: balancer.groups.flatMap(({ priority, group: groupId }) => {
      const found = groups.get(groupId);
      const Priority = PRIORITIES[priority - 1];
      return found && Priority
        ? {
            OriginGroupID: groupId,
            OriginGroupName: found.name,
            OriginType: found.type,
            Priority,
            OriginHealthStatus: showOriginHealth(balancer, found, health),
          }
        : [];
    }),
    Status: balancerStatus(balancer, acks),
    L4UsedList: referrers.map((referrer) => referrer.id),
    L7UsedList: [],
    References: referrers.map((referrer) => showReference(referrer, zone)),
  };
}
