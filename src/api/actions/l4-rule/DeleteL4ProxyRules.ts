import { removeRules } from '../../../domain/l4-rule/batch.ts';
import type { L4Rule } from '../../../domain/l4-rule/l4-rule.ts';
import { ruleStatus } from '../../../domain/status.ts';
import { list, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { originsChanged, proxyOf, zoneOf } from '../../handling/lookups.ts';
import { keepProxyUses } from '../../handling/uses.ts';
import { MOST_RULES_PER_CALL } from '../../models/L4ProxyRule.ts';

export const DeleteL4ProxyRules = action({
  summary: 'Delete forwarding rules that are off: all of them or none.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    RuleIds: list(string('Rule ID.'), 'The rules.', { min: 1, max: MOST_RULES_PER_CALL }),
  },
  response: {},
  errors: ['ResourceNotFound', 'UnauthorizedOperation.CamUnauthorized', 'UnsupportedOperation'],
  example: {
    title: 'Delete a rule',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g', RuleIds: ['rule-2qzkbvx3hxl1'] },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, RuleIds }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const statusOf = (rule: L4Rule) =>
      ruleStatus(proxy, rule, zone, tx.around.facts.acks, originsChanged(tx, zone.id, rule));
    const next = tx.must(removeRules(proxy, RuleIds, statusOf));
    keepProxyUses(tx, proxy, next.rules);
    tx.put(keys.proxy(zone.id, proxy.name), next);
    return {};
  },
});
