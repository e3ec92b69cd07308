import { changedLimits } from '../../../domain/limit/limit.ts';
import { setRuleOptions } from '../../../domain/l4-rule/batch.ts';
import { THIS_WRITE } from '../../../domain/stamp.ts';
import { list, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';
import { LIMITS, readLimits } from '../../models/EdgeFourLimits.ts';
import { MOST_RULES_PER_CALL } from '../../models/L4ProxyRule.ts';

export const EdgeFourSetLimits = action({
  summary: 'Set limits of an instance or of some of its rules: rates, open connections, address lists, SYN proxying.',
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    RuleIds: optional(
      list(string('Rule ID.'), 'The rules; not sent: what holds for each rule that does not say.', {
        min: 1,
        max: MOST_RULES_PER_CALL,
      }),
    ),
    ...LIMITS,
  },
  response: {},
  errors: ['ResourceNotFound'],
  example: {
    title: 'At most 20 new connections per second from one client address',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g', NewPerSecond: 20 },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, RuleIds, ...sent }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const change = readLimits(sent);
    const missing = [...(change.allow ?? []), ...(change.deny ?? [])].find(
      (name) => tx.get(keys.addressList(zone.id, name)) === undefined,
    );
    if (missing !== undefined)
      throw tx.refuse('ResourceNotFound', `Zone ${zone.id} has no address list ${missing}; put it there first.`);
    if (RuleIds) {
      const next = tx.must(setRuleOptions(proxy, RuleIds, { limits: change }));
      if (next !== proxy) tx.put(keys.proxy(zone.id, proxy.name), next);
      return {};
    }
    const { limits: before, ...others } = proxy;
    const limits = changedLimits(before, change);
    tx.put(keys.proxy(zone.id, proxy.name), { ...others, ...(limits && { limits }), changed: THIS_WRITE });
    return {};
  },
});
