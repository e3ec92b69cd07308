import { changeBalancer } from '../../../domain/load-balancer/change.ts';
import { optional, string } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { balancerOf, balancerWorld, putBalancer } from '../../handling/load-balancers.ts';
import { openZoneOf } from '../../handling/lookups.ts';
import { unsteadyOnBalancer } from '../../handling/steady.ts';
import { proxiesOn } from '../../handling/uses.ts';
import { HEALTH_CHECKER } from '../../models/HealthChecker.ts';
import {
  BALANCER_NAME,
  FAILOVER_POLICY,
  ORIGIN_GROUPS,
  readBalancer,
  STEERING_POLICY,
} from '../../models/LoadBalancer.ts';

export const ModifyLoadBalancer = action({
  summary: 'Change a load balancer. Rules on it follow.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    InstanceId: string('Load balancer ID.'),
    Name: optional(BALANCER_NAME),
    OriginGroups: optional(ORIGIN_GROUPS),
    HealthChecker: optional(HEALTH_CHECKER),
    SteeringPolicy: optional(STEERING_POLICY),
    FailoverPolicy: optional(FAILOVER_POLICY),
  },
  response: {},
  errors: [
    'InvalidParameter.LoadBalancerBindL4NotInStableStatus',
    'InvalidParameter.LoadBalancerBindL7NotInStableStatus',
    'InvalidParameter.LoadBalancerBindOriginGroupInvalid',
    'InvalidParameter.LoadBalancerNameRepeated',
    'InvalidParameter.OriginGroupTypeCanNotMatchLBType',
    'InvalidParameter.SomeOriginGroupNotExist',
    'InvalidParameterValue',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'ResourceNotFound',
  ],
  example: {
    title: 'Stop checking the origins',
    request: { ZoneId: 'zone-24wjy25v1cwi', InstanceId: 'lb-2qwk27xf7j9g', HealthChecker: { Type: 'NoCheck' } },
    response: {},
  },
  handle(tx, { ZoneId, InstanceId, Name, ...settings }) {
    const zone = tx.must(openZoneOf(tx, ZoneId));
    const balancer = tx.must(balancerOf(tx, zone.id, InstanceId));
    const proxies = proxiesOn(tx, zone.id, balancer.id);
    const change = { ...readBalancer(settings), ...(Name && { name: Name }) };
    const next = tx.must(changeBalancer(balancer, change, balancerWorld(tx, zone.id), proxies[0]?.id));
    if (next === balancer) return {};
    tx.must(unsteadyOnBalancer(tx, zone, proxies));
    tx.must(putBalancer(tx, next, balancer));
    return {};
  },
});
