import { banFault } from '../../../domain/l4-proxy/change.ts';
import { setRuleChecker } from '../../../domain/l4-rule/batch.ts';
import { checkerFault, withChecker } from '../../../domain/load-balancer/health-checker.ts';
import { list, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { balancerOf } from '../../handling/load-balancers.ts';
import { featuresOf, groupOf, openZoneOf, proxyOf } from '../../handling/lookups.ts';
import { unsteadyOnBalancer, unsteadyOnGroup } from '../../handling/steady.ts';
import { groupUsersOf, proxiesOn } from '../../handling/uses.ts';
import { OWN_HEALTH_CHECKER, readOwnChecker } from '../../models/EdgeFourHealthChecker.ts';
import { MOST_RULES_PER_CALL } from '../../models/L4ProxyRule.ts';

export const EdgeFourSetHealthCheck = action({
  summary: 'Set how the origins of rules, of an origin group or of a load balancer are checked.',
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: optional(string('L4 proxy instance ID; with RuleIds.')),
    RuleIds: optional(
      list(string('Rule ID.'), 'Rules of the instance: their check goes before that of their load balancer or group.', {
        min: 1,
        max: MOST_RULES_PER_CALL,
      }),
    ),
    OriginGroupId: optional(string('Origin group ID: its check counts where neither rule nor load balancer says one.')),
    LoadBalancerId: optional(string('Load balancer ID: its check goes before those of its groups.')),
    Checker: optional({
      ...OWN_HEALTH_CHECKER,
      description: 'The check. Not sent: none of its own. NoCheck: none, whatever load balancer and group say.',
    }),
  },
  response: {},
  errors: [
    'InvalidParameter.LoadBalancerBindL4NotInStableStatus',
    'InvalidParameter.ParameterError',
    'InvalidParameterValue',
    'LimitExceeded.ProxyRulesLimitExceeded',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.L4ProxyInBannedStatus',
    'OperationDenied.L4StatusNotInOnline',
    'OperationDenied.LoadBalanceStatusNotInOnline',
    'ResourceNotFound',
  ],
  example: {
    title: 'Check the origins of a Redis rule by what they answer',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      ProxyId: 'sid-2qwk27xf7j9g',
      RuleIds: ['rule-2qzkbvx3hxl1'],
      Checker: { Type: 'TCP', Port: 6379, Interval: 10, Send: 'PING\r\n', Expect: '+PONG' },
    },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, RuleIds, OriginGroupId, LoadBalancerId, Checker }) {
    const zone = tx.must(openZoneOf(tx, ZoneId));
    const named = [RuleIds, OriginGroupId, LoadBalancerId].filter((one) => one !== undefined);
    if (named.length !== 1 || (ProxyId === undefined) !== (RuleIds === undefined))
      throw tx.refuse(
        'InvalidParameter.ParameterError',
        'Name what is checked: ProxyId with RuleIds, or OriginGroupId, or LoadBalancerId, and one of them only.',
      );
    const checker = Checker && readOwnChecker(Checker);
    tx.must(checker && checkerFault(checker, featuresOf(tx), 'Checker'));
    if (ProxyId !== undefined && RuleIds) {
      const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
      tx.must(banFault(proxy));
      const next = tx.must(setRuleChecker(proxy, RuleIds, checker));
      if (next !== proxy) tx.put(keys.proxy(zone.id, proxy.name), next);
    } else if (OriginGroupId !== undefined) {
      const group = tx.must(groupOf(tx, zone.id, OriginGroupId));
      const next = withChecker(group, checker);
      if (next === group) return {};
      tx.must(unsteadyOnGroup(tx, zone, groupUsersOf(tx, zone.id, group.id)));
      tx.put(keys.originGroup(zone.id, group.id), { ...next, updatedAt: tx.now });
    } else if (LoadBalancerId !== undefined) {
      const balancer = tx.must(balancerOf(tx, zone.id, LoadBalancerId));
      const next = withChecker(balancer, checker);
      if (next === balancer) return {};
      tx.must(unsteadyOnBalancer(tx, zone, proxiesOn(tx, zone.id, balancer.id)));
      tx.put(keys.loadBalancer(zone.id, balancer.id), next);
    }
    return {};
  },
});
