import { createBalancer, MOST_BALANCERS } from '../../../domain/load-balancer/change.ts';
import { optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { balancerWorld, putBalancer } from '../../handling/load-balancers.ts';
import { openZoneOf } from '../../handling/lookups.ts';
import { HEALTH_CHECKER } from '../../models/HealthChecker.ts';
import {
  BALANCER_NAME,
  BALANCER_TYPE,
  FAILOVER_POLICY,
  ORIGIN_GROUPS,
  readBalancer,
  readGroups,
  STEERING_POLICY,
} from '../../models/LoadBalancer.ts';

export const CreateLoadBalancer = action({
  summary: 'Create a load balancer: origin groups in order of priority, with a health check.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    Name: BALANCER_NAME,
    Type: BALANCER_TYPE,
    OriginGroups: ORIGIN_GROUPS,
    HealthChecker: optional(HEALTH_CHECKER),
    SteeringPolicy: optional(STEERING_POLICY),
    FailoverPolicy: optional(FAILOVER_POLICY),
  },
  response: { InstanceId: string('ID of the new load balancer.') },
  errors: [
    'InvalidParameter.LoadBalancerBindOriginGroupInvalid',
    'InvalidParameter.LoadBalancerNameRepeated',
    'InvalidParameter.OriginGroupTypeCanNotMatchLBType',
    'InvalidParameter.SomeOriginGroupNotExist',
    'InvalidParameterValue',
    'LimitExceeded.LoadBalancingCountLimitExceeded',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'ResourceNotFound',
  ],
  example: {
    title: 'Create a load balancer of two groups, checked by TCP',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      Name: 'web',
      Type: 'GENERAL',
      OriginGroups: [
        { Priority: 'priority_1', OriginGroupId: 'og-30l5kv5z2bse' },
        { Priority: 'priority_2', OriginGroupId: 'og-30l5kv5z2bsf' },
      ],
      HealthChecker: { Type: 'TCP', Port: 8080, Interval: 30, Timeout: 5 },
    },
    response: { InstanceId: 'lb-2qwk27xf7j9g' },
  },
  handle(tx, { ZoneId, Name: name, Type: type, ...settings }) {
    const zone = tx.must(openZoneOf(tx, ZoneId));
    // Not guarded: calls at one moment may go over by a few, which harms nobody.
    if (tx.count(keys.loadBalancers(zone.id)) >= MOST_BALANCERS)
      throw tx.refuse(
        'LimitExceeded.LoadBalancingCountLimitExceeded',
        `Zone ${zone.id} has ${MOST_BALANCERS} load balancers.`,
      );
    const groups = readGroups(settings.OriginGroups);
    const wish = { id: tx.id('lb'), zone: zone.id, name, type, ...readBalancer(settings), groups };
    const balancer = tx.must(createBalancer(wish, balancerWorld(tx, zone.id)));
    tx.must(putBalancer(tx, balancer));
    return { InstanceId: balancer.id };
  },
});
