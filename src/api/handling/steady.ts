/**
 * Whether what uses an origin group or a load balancer is steady, so that the group or balancer can change. Called by the
 * handlers that change one.
 */
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import { balancerStatus, proxyStatus } from '../../domain/status.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Tx } from './transaction.ts';
import type { GroupUsers } from './uses.ts';

type Around = Pick<Tx, 'around'>;
type UnderGroup = Fault<'OperationDenied.LoadBalanceStatusNotInOnline' | 'OperationDenied.L4StatusNotInOnline'>;

/** order: balancers are looked at first; of one that is pending its instances say nothing. */
export function unsteadyOnGroup({ around }: Around, zone: Zone, users: GroupUsers): UnderGroup | undefined {
  const { acks } = around.facts;
  for (const balancer of users.balancers) {
    const status = balancerStatus(balancer, acks);
    if (status !== 'Running')
      return refuse('OperationDenied.LoadBalanceStatusNotInOnline', `Load balancer ${balancer.id} is ${status}.`);
  }
  for (const proxy of users.proxies) {
    const status = proxyStatus(proxy, zone, acks);
    // One that failed may wait for just this change.
    if (status !== 'online' && status !== 'fail')
      return refuse('OperationDenied.L4StatusNotInOnline', `L4 proxy ${proxy.id} is ${status}.`);
  }
  return undefined;
}

export function unsteadyOnBalancer(
  { around }: Around,
  zone: Zone,
  proxies: readonly L4Proxy[],
): Fault<'InvalidParameter.LoadBalancerBindL4NotInStableStatus'> | undefined {
  for (const proxy of proxies) {
    const status = proxyStatus(proxy, zone, around.facts.acks);
    if (status === 'progress' || status === 'stopping')
      return refuse('InvalidParameter.LoadBalancerBindL4NotInStableStatus', `L4 proxy ${proxy.id} is ${status}.`);
  }
  return undefined;
}
