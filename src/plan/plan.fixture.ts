/** A planned rule for tests: everything set, one origin, nothing out of the ordinary until a test says otherwise. */
import { DEFAULT_CARE } from '../domain/l4-rule/options.ts';
import type { PlannedRule } from './plan.ts';

export function plannedRule(more: Partial<PlannedRule> = {}): PlannedRule {
  return {
    id: 'rule-a',
    zone: 'zone-a',
    proxy: 'sid-1',
    protocol: 'TCP',
    entries: ['192.0.2.1'],
    ports: [{ from: 443, to: 443 }],
    origins: [{ host: '198.51.100.1', weight: 1, tier: 0 }],
    originPorts: { from: 1, to: 1 },
    mode: 'OFF',
    persistSeconds: 0,
    failover: 'origin',
    options: {
      connectTimeoutMs: 1,
      idleSeconds: 1,
      drain: { how: 'drain', seconds: 1 },
      recordOneIn: 1,
      ...DEFAULT_CARE,
    },
    ...more,
  };
}
