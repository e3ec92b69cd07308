/** A rule as the guard sees it, and the sets of networks that its limits may need. Types only. */
import type { PlannedRule } from '../../../plan/plan.ts';
import type { Family } from '../layout.ts';

export type LimitedRule = Pick<PlannedRule, 'id' | 'proxy' | 'protocol' | 'entries' | 'ports' | 'limits'>;

export interface SetsOfNetworks {
  /** `key`: as in the rule's limits. */
  readonly list: (key: string, family: Family) => string;
  /** One for each length of prefix among the bans of the instance. */
  readonly bans: (proxy: string, family: Family) => readonly { readonly name: string; readonly bits: number }[];
}
