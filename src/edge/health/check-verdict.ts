/**
 * What a check says of an origin, from one result after the other. Pure: a verdict and a result give the next verdict.
 * It knows no traffic and no time. Called by origin-health.ts.
 */
import type { ProbeResult } from '../../domain/fact/health.ts';

/** As a check is configured; the same `key`, the same check. */
export interface CheckRule {
  readonly key: string;
  readonly intervalMs: number;
  /** Good results in a row that make an ill origin well. */
  readonly rise: number;
  /** Bad results in a row that make it ill. */
  readonly fall: number;
}

type Finding = ProbeResult['verdict'];

/** `unknown` is the API's `Undetected`. */
export interface CheckVerdict {
  readonly verdict: Finding;
  /** No result of this check yet: the first one decides alone. */
  readonly isFresh: boolean;
  /** The newest results that are alike, and contradict the verdict. */
  readonly against: Finding;
  readonly run: number;
}

export const UNCHECKED: CheckVerdict = { verdict: 'unknown', isFresh: true, against: 'unknown', run: 0 };

/** How many results of a kind in a row replace a verdict. */
const NEEDED: Readonly<Record<Finding, Readonly<Record<Finding, 'stay' | 'one' | 'rise' | 'fall'>>>> = {
  unknown: { unknown: 'stay', healthy: 'one', unhealthy: 'fall' },
  healthy: { unknown: 'fall', healthy: 'stay', unhealthy: 'fall' },
  unhealthy: { unknown: 'rise', healthy: 'rise', unhealthy: 'stay' },
};

/** `rise`: of the rule, or more of them for an origin that flaps. */
export function afterResult(before: CheckVerdict, found: Finding, rise: number, fall: number): CheckVerdict {
  const settled = { verdict: found, isFresh: false, against: found, run: 0 };
  if (before.isFresh) return settled;
  const needed = { stay: 0, one: 1, rise, fall }[NEEDED[before.verdict][found]];
  const run = found === before.against ? before.run + 1 : 1;
  return needed <= run ? settled : { ...before, against: found, run };
}
