import { banFault } from '../../../domain/l4-proxy/change.ts';
import { changeRules } from '../../../domain/l4-rule/batch.ts';
import { list, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { sharedPortFault } from '../../handling/entry-addresses.ts';
import { originWorld, proxyOf, readyZoneOf } from '../../handling/lookups.ts';
import { keepProxyUses } from '../../handling/uses.ts';
import { MOST_RULES_PER_CALL, readRule, remoteAuthFault, RULE_CHANGE } from '../../models/L4ProxyRule.ts';

export const ModifyL4ProxyRules = action({
  summary: 'Change forwarding rules: all of them or none. Other rules keep their connections.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    L4ProxyRules: list(RULE_CHANGE, 'The rules, by RuleId, with the fields to change.', {
      min: 1,
      max: MOST_RULES_PER_CALL,
    }),
  },
  response: {},
  errors: [
    'InvalidParameter.InvalidOriginIp',
    'InvalidParameter.InvalidOriginValue',
    'InvalidParameter.ParameterError',
    'InvalidParameter.RuleOriginPortInteger',
    'InvalidParameter.RulePortDuplicating',
    'InvalidParameter.RulePortGroup',
    'InvalidParameter.RulePortInteger',
    'InvalidParameterValue',
    'LimitExceeded.ProxyRulesLimitExceeded',
    'OperationDenied',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.L4PortLackOfResources',
    'OperationDenied.L4ProxyInBannedStatus',
    'ResourceNotFound',
    'UnsupportedOperation',
  ],
  example: {
    title: 'Send a rule to another origin',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      ProxyId: 'sid-2qwk27xf7j9g',
      L4ProxyRules: [{ RuleId: 'rule-2qzkbvx3hxl1', OriginValue: ['10.0.0.9'] }],
    },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, L4ProxyRules }) {
    const zone = tx.must(readyZoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    tx.must(banFault(proxy) ?? remoteAuthFault(L4ProxyRules));
    const changes = L4ProxyRules.map((rule) => ({ id: rule.RuleId, to: readRule(rule) }));
    const next = tx.must(changeRules(proxy, changes, originWorld(tx, zone.id)));
    if (next === proxy) return {};
    tx.must(sharedPortFault(tx, next));
    keepProxyUses(tx, proxy, next.rules);
    tx.put(keys.proxy(zone.id, proxy.name), next);
    return {};
  },
});
