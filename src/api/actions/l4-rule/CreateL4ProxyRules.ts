import { createRules, placesOf } from '../../../domain/l4-rule/batch.ts';
import { banFault, offlineFault } from '../../../domain/l4-proxy/change.ts';
import { list, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { sharedPortFault } from '../../handling/entry-addresses.ts';
import { originWorld, proxyOf, readyZoneOf } from '../../handling/lookups.ts';
import { keepProxyUses } from '../../handling/uses.ts';
import { MOST_RULES_PER_CALL, NEW_RULE, readRule, remoteAuthFault } from '../../models/L4ProxyRule.ts';

export const CreateL4ProxyRules = action({
  summary: 'Create forwarding rules on a Layer 4 proxy instance: all of them or none.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    L4ProxyRules: list(NEW_RULE, 'The rules.', { min: 1, max: MOST_RULES_PER_CALL }),
  },
  response: { L4ProxyRuleIds: list(string('Rule ID.'), 'IDs of the new rules, in the order of the request.') },
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
    'OperationDenied.L4ProxyInOfflineStatus',
    'ResourceNotFound',
    'UnsupportedOperation',
  ],
  example: {
    title: 'Forward TCP port 80 to an origin, telling it the client address',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      ProxyId: 'sid-2qwk27xf7j9g',
      L4ProxyRules: [
        {
          Protocol: 'TCP',
          PortRange: ['80'],
          OriginType: 'IP_DOMAIN',
          OriginValue: ['10.0.0.8'],
          OriginPortRange: '8080',
          ClientIPPassThroughMode: 'PPV2',
          RuleTag: 'web',
        },
      ],
    },
    response: { L4ProxyRuleIds: ['rule-2qzkbvx3hxl1'] },
  },
  handle(tx, { ZoneId, ProxyId, L4ProxyRules }) {
    const zone = tx.must(readyZoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    tx.must(banFault(proxy) ?? offlineFault(proxy) ?? remoteAuthFault(L4ProxyRules));
    const added = L4ProxyRules.map((rule) => ({ ...readRule(rule), id: tx.id('rule') }));
    const next = tx.must(createRules(proxy, added, originWorld(tx, zone.id)));
    tx.must(sharedPortFault(tx, next, placesOf(added)));
    keepProxyUses(tx, proxy, next.rules);
    tx.put(keys.proxy(zone.id, proxy.name), next);
    return { L4ProxyRuleIds: added.map(({ id }) => id) };
  },
});
