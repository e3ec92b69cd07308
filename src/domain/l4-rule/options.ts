/** EdgeFour's own settings of a rule, as they are after a change of some of them. Pure; the other defaults are in plan/. */
import { changedLimits, type LimitsChange } from '../limit/limit.ts';
import type { RuleOptions } from './l4-rule.ts';

export const UDP_HEADERS = ['first', 'each'] as const;
export const DRAIN_WAYS = ['keep', 'drain', 'reset'] as const;
/** What a change does to connections where the rule does not say. */
export const DEFAULT_DRAIN = { how: 'drain', seconds: 30 } as const;

/** How origins that are ill are dealt with where the rule does not say. */
export const DEFAULT_CARE = { unhealthy: 'keep', passive: true, kernelUnchecked: false, slowStartSeconds: 0 } as const;

/** The same of a rule that may say. */
export function careOf(options: RuleOptions = {}) {
  return {
    unhealthy: options.unhealthy ?? DEFAULT_CARE.unhealthy,
    passive: isOn(options.passive) ?? DEFAULT_CARE.passive,
    kernelUnchecked: isOn(options.kernelUnchecked) ?? DEFAULT_CARE.kernelUnchecked,
    slowStartSeconds: options.slowStartSeconds ?? DEFAULT_CARE.slowStartSeconds,
  };
}

function isOn(word: 'on' | 'off' | undefined): boolean | undefined {
  return word === undefined ? undefined : word === 'on';
}

/** limit: an origin that needs longer than an hour to its whole share wants another weight. */
export const MOST_SLOW_START_SECONDS = 3_600;

/** Those that are simply replaced. */
type Plain = Omit<RuleOptions, 'drain' | 'limits'>;

/** Absent stays as it is. */
export type OptionsChange = { readonly [Name in keyof Plain]?: Plain[Name] | undefined } & {
  readonly drain?: (typeof DRAIN_WAYS)[number] | undefined;
  readonly drainSeconds?: number | undefined;
  readonly limits?: LimitsChange | undefined;
};

export function changedOptions(before: RuleOptions | undefined, change: OptionsChange): RuleOptions {
  const { drain, drainSeconds, limits: limitsChange, ...plain } = change;
  const { limits: limitsBefore, ...others } = before ?? {};
  const limits = limitsChange ? changedLimits(limitsBefore, limitsChange) : limitsBefore;
  const how = drain ?? before?.drain?.how ?? DEFAULT_DRAIN.how;
  const seconds = drainSeconds ?? before?.drain?.seconds ?? DEFAULT_DRAIN.seconds;
  return {
    ...others,
    ...(limits && { limits }),
    ...((drain !== undefined || drainSeconds !== undefined) && { drain: { how, seconds } }),
    ...(Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) satisfies Plain),
  };
}
