import type { L4Rule } from '../../../domain/l4-rule/l4-rule.ts';
import { ruleStatus } from '../../../domain/status.ts';
import { list, string, unsigned } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { defaultsFor } from '../../handling/defaults.ts';
import { findProxy, originsChanged, zoneOf } from '../../handling/lookups.ts';
import { filters, pageFields, pageOf, readFilters } from '../../models/Filter.ts';
import { L4_PROXY_RULE, showRule } from '../../models/L4ProxyRule.ts';

const FILTERS = ['rule-id', 'rule-tag'] as const;

export const DescribeL4ProxyRules = action({
  summary: 'List the forwarding rules of a Layer 4 proxy instance.',
  access: 'read',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    // wire: the published API data calls both required; their own text gives defaults.
    ...pageFields(),
    Filters: filters(FILTERS),
  },
  response: {
    TotalCount: unsigned('How many rules match.'),
    L4ProxyRules: list(L4_PROXY_RULE, 'The rules, in the order they were created.'),
  },
  errors: [
    'InternalError.ProxyServer',
    'InvalidParameterValue',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
    'UnauthorizedOperation.NoPermission',
    'UnauthorizedOperation.Unknown',
  ],
  example: {
    title: 'Look up one rule by its ID',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      ProxyId: 'sid-2qwk27xf7j9g',
      Offset: 0,
      Limit: 20,
      Filters: [{ Name: 'rule-id', Values: ['rule-2qzkbvx3hxl1'] }],
    },
    response: {
      TotalCount: 1,
      L4ProxyRules: [
        {
          RuleId: 'rule-2qzkbvx3hxl1',
          Protocol: 'TCP',
          PortRange: ['80'],
          OriginType: 'IP_DOMAIN',
          OriginValue: ['10.0.0.8'],
          OriginPortRange: '8080',
          ClientIPPassThroughMode: 'PPV2',
          SessionPersist: 'off',
          RuleTag: 'web',
          Status: 'online',
          BuId: '',
          RemoteAuth: null,
        },
      ],
    },
  },
  handle(tx, { ZoneId, ProxyId, Filters, ...page }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const wanted = tx.must(readFilters(Filters, FILTERS));
    const ids = wanted.get('rule-id');
    const tags = wanted.get('rule-tag');
    // wire: an unknown instance has no rules; Terraform refreshes rules of an instance that went.
    const proxy = findProxy(tx, zone.id, ProxyId);
    if (!proxy) return { TotalCount: 0, L4ProxyRules: [] };
    const matching = proxy.rules.filter((rule) => ids?.has(rule.id) !== false && tags?.has(rule.tag ?? '') !== false);
    const defaults = defaultsFor(tx);
    const { offset, limit } = pageOf(page);
    const shown = matching.slice(offset, offset + limit);
    const statusOf = (rule: L4Rule) =>
      ruleStatus(proxy, rule, zone, tx.around.facts.acks, originsChanged(tx, zone.id, rule));
    return {
      TotalCount: matching.length,
      L4ProxyRules: shown.map((rule) => showRule(rule, statusOf(rule), defaults)),
    };
  },
});
