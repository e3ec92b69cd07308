/** What is known of one origin. It changes in origin-health.ts alone, and lies on disk as kept-origins.ts writes it. */
import type { OriginState, StateCause } from '../../domain/fact/health.ts';
import { type CheckRule, type CheckVerdict, UNCHECKED } from './check-verdict.ts';
import { DialWindow } from './dial-window.ts';
import type { OthersWord } from './others.ts';
import { openSince, type Traffic } from './traffic-phase.ts';

/** limit: with the usual three good results and ten seconds, four minutes until an origin that flaps is used again. */
export const MOST_RISE_FACTOR = 8;

/** An operator's word; `until` absent: for good, or until it is ended by hand. */
export interface Override {
  readonly state: 'up' | 'down';
  readonly until?: number | undefined;
}

/** Who had the last word, and why. */
export interface Cause {
  readonly by: StateCause;
  readonly reason: string;
}

/** What engines were told. `isBack`: it is up, and was not before. */
interface Told {
  readonly state: OriginState;
  readonly since: number;
  readonly cause: Cause;
  readonly isBack?: true | undefined;
}

export interface Origin {
  target: number;
  readonly name: string;
  check: CheckRule | undefined;
  verdict: CheckVerdict;
  /** What other edges find with the same check; undefined: nothing that counts. */
  others: OthersWord | undefined;
  traffic: Traffic;
  override: Override | undefined;
  /** What check and traffic make of it. `riseFactor`: so many times the good results that its check asks for. */
  own: { readonly state: OriginState; readonly since: number; readonly riseFactor: number };
  told: Told;
  readonly dials: DialWindow;
}

export function newOrigin(name: string, at: number): Origin {
  return {
    target: -1,
    name,
    check: undefined,
    verdict: UNCHECKED,
    others: undefined,
    traffic: openSince(at),
    override: undefined,
    own: { state: 'up', since: at, riseFactor: 1 },
    told: { state: 'up', since: at, cause: { by: 'probe', reason: 'not checked yet' } },
    dials: new DialWindow(),
  };
}
