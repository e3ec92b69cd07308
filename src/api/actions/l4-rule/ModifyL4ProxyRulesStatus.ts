import { banFault, offlineFault } from '../../../domain/l4-proxy/change.ts';
import { switchRules } from '../../../domain/l4-rule/batch.ts';
import { list, oneOf, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { openZoneOf, proxyOf, readyZoneOf } from '../../handling/lookups.ts';
import { MOST_RULES_PER_CALL } from '../../models/L4ProxyRule.ts';

export const ModifyL4ProxyRulesStatus = action({
  summary: 'Switch forwarding rules on or off: all of them or none.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    RuleIds: list(string('Rule ID.'), 'The rules.', { min: 1, max: MOST_RULES_PER_CALL }),
    Status: oneOf(['online', 'offline'], 'What they are to be. What they are already is no error.'),
  },
  response: {},
  errors: [
    'OperationDenied',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.L4ProxyInBannedStatus',
    'OperationDenied.L4ProxyInOfflineStatus',
    'ResourceNotFound',
  ],
  example: {
    title: 'Switch a rule off',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      ProxyId: 'sid-2qwk27xf7j9g',
      RuleIds: ['rule-2qzkbvx3hxl1'],
      Status: 'offline',
    },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, RuleIds, Status }) {
    const zone = tx.must(Status === 'online' ? readyZoneOf(tx, ZoneId) : openZoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    tx.must(banFault(proxy));
    // A rule of an instance that is off never comes online, and a client that waits for it would wait for ever.
    if (Status === 'online') tx.must(offlineFault(proxy));
    const next = tx.must(switchRules(proxy, RuleIds, Status));
    if (next !== proxy) tx.put(keys.proxy(zone.id, proxy.name), next);
    return {};
  },
});
