import { string } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { balancerOf, deleteBalancer } from '../../handling/load-balancers.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { usersOf } from '../../handling/uses.ts';

export const DeleteLoadBalancer = action({
  summary: 'Delete a load balancer that no rule uses. Its origin groups stay.',
  access: 'write',
  touches: 'zone',
  request: { ZoneId: string('Zone ID.'), InstanceId: string('Load balancer ID.') },
  response: {},
  errors: [
    'FailedOperation',
    'InvalidParameter.LoadBalancerUsedInL4Proxy',
    'InvalidParameter.LoadBalancerUsedInL7Domain',
    'InvalidParameter.LoadBalancerUsedInRuleEngine',
    'ResourceNotFound',
  ],
  example: {
    title: 'Delete a load balancer',
    request: { ZoneId: 'zone-24wjy25v1cwi', InstanceId: 'lb-2qwk27xf7j9g' },
    response: {},
  },
  handle(tx, { ZoneId, InstanceId }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const balancer = tx.must(balancerOf(tx, zone.id, InstanceId));
    const [user] = usersOf(tx, balancer.id);
    if (user) throw tx.refuse('InvalidParameter.LoadBalancerUsedInL4Proxy', `${user.id} uses ${balancer.id}.`);
    deleteBalancer(tx, balancer);
    return {};
  },
});
