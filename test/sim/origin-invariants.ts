/**
 * What must be true of origins at any moment, as a plain model beside the code under test: it keeps what was told, found and
 * dialled, and decides nothing. Used by origin-simulation.ts; each invariant is seen red in origin-breakages.ts.
 */
import type { DialOutcome, OriginState, ProbeResult } from '../../src/domain/fact/health.ts';
import type { Target } from '../../src/engines/engine.ts';
import type { SimOrigin, SimRule } from './origin-simulation.ts';

export const INVARIANTS = {
  'no dead pick': 'no connection goes to an origin that is down while another one can take it',
  'one try': 'an origin in `try` gets one connection until its state is told anew, while others can take the rest',
  'lowest tier': 'a connection goes to the lowest tier that has an origin which is not down',
  'fail open': 'where all are down, connections go to the lowest tier as if all were up; none is sent nowhere',
  'check decides': 'what a check finds ill is down until it finds it otherwise often enough, whatever traffic does',
  'needs a reason': 'an origin that no dial, probe or operator spoke against is up',
  'bounded hold': 'traffic alone holds an origin out no longer than a minute and three intervals of its check',
  'found in time': 'what a check can see is out of use after interval + (fall − 1) × fast interval + time-out + 0.5 s',
  'obeyed as told': 'engines have the state that the book has, and each change follows the one before',
  'kept over a restart': 'the state of each origin is the one before the restart',
  'one probe': 'a check has one probe under way at most, and the next one comes within its interval',
  'comes back': 'when all is well again, all origins are up, nothing is open, and nothing waits',
} as const;
export type Invariant = keyof typeof INVARIANTS;

export class Violation extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, what: string) {
    super(`${invariant}: ${what} (${INVARIANTS[invariant]})`);
    this.invariant = invariant;
  }
}

interface Known {
  /** As engines were told; `trying`: its one connection is taken. */
  state: OriginState | 'trying';
  readonly origin: SimOrigin;
  open: number;
  heldSince: number | undefined;
  /** Something spoke against it since it was up last. */
  isBlamed: boolean;
  isFresh: boolean;
  isIll: boolean;
  /** The newest results that are alike. */
  last: ProbeResult['verdict'];
  run: number;
  probes: number;
  probedAt: number | undefined;
}

const SLOT_MS = 50;
const LONGEST_HOLD_MS = 60_000;

export class OriginInvariants {
  readonly #known: readonly Known[];
  /** The first one counts: what follows may be its consequence. Kept, because not all callers may throw. */
  #violation: Violation | undefined;
  /** A probe that outlives its process is not the next one's. */
  #life = 0;

  constructor(origins: readonly SimOrigin[]) {
    this.#known = origins.map((origin) => ({
      state: 'up',
      origin,
      open: 0,
      heldSince: undefined,
      isBlamed: false,
      isFresh: true,
      isIll: false,
      last: 'unknown',
      run: 0,
      probes: 0,
      probedAt: undefined,
    }));
  }

  get allUp(): boolean {
    return this.#known.every(({ state }) => state === 'up');
  }

  /** Another process: engines take all for up, and no connection is theirs. */
  began(): void {
    this.#life++;
    for (const known of this.#known)
      Object.assign(known, { state: 'up', open: 0, heldSince: undefined, probes: 0, probedAt: undefined });
  }

  restarted(before: readonly (OriginState | undefined)[]): void {
    this.#known.forEach(({ state }, i) =>
      this.#hold('kept over a restart', state === before[i], `${i} was ${before[i]}, is ${state}`),
    );
  }

  told(number: number, from: OriginState, state: OriginState): void {
    const known = this.#known[number]!;
    const before = known.state === 'trying' ? 'try' : known.state;
    const isNews = from !== state || state === 'try';
    this.#hold('obeyed as told', before === from && isNews, `${number}, which is ${before}: ${from} → ${state}`);
    known.state = state;
    if (state === 'up') known.isBlamed = false;
  }

  picked({ listener, targets }: SimRule, target: Target | undefined, tried: ReadonlySet<string>): void {
    const usable = targets.filter(({ weight, address }) => weight > 0 && !tried.has(address));
    const stateOf = ({ number }: Target): Known['state'] => this.#known[number]!.state;
    const open = usable.filter((one) => stateOf(one) === 'up' || stateOf(one) === 'try');
    const lowest = Math.min(...(open.length > 0 ? open : usable).map(({ tier }) => tier));
    if (!target) return this.#hold('fail open', usable.length === 0, `${listener.id} has ${usable.length} origins`);
    const what = `${target.number} of ${listener.id}, ${stateOf(target)}`;
    // A client that persists stays with its origin, in whatever tier that is.
    const isLowest = target.tier === lowest || listener.persistSeconds > 0;
    if (open.length === 0) return this.#hold('fail open', isLowest, what);
    this.#hold('no dead pick', stateOf(target) !== 'down', what);
    this.#hold('one try', stateOf(target) !== 'trying', what);
    this.#hold('lowest tier', isLowest, what);
    if (stateOf(target) === 'try') this.#known[target.number]!.state = 'trying';
  }

  opened(number: number, change: 1 | -1): void {
    this.#known[number]!.open += change;
  }

  dialled(number: number, outcome: DialOutcome): void {
    if (outcome !== 'ok') this.#known[number]!.isBlamed = true;
  }

  found(number: number, verdict: ProbeResult['verdict']): void {
    const known = this.#known[number]!;
    const { rise, fall } = known.origin.checker!;
    known.run = verdict === known.last ? known.run + 1 : 1;
    known.last = verdict;
    if (verdict === 'unhealthy') {
      known.isBlamed = true;
      if (known.isFresh || known.run >= fall) known.isIll = true;
    } else if (known.run >= rise) known.isIll = false;
    known.isFresh = false;
  }

  /** A probe begins; the answer is called when it ends. */
  probing({ number, checker }: SimOrigin, at: number): () => void {
    const known = this.#known[number]!;
    this.#hold('one probe', known.probes === 0, `${number} has ${known.probes} under way`);
    const most = checker!.intervalSeconds * 1_000 + checker!.timeoutSeconds * 1_000 + 2 * SLOT_MS;
    const gap = at - (known.probedAt ?? at);
    this.#hold('one probe', gap <= most, `${number} was not probed for ${gap} ms`);
    known.probes++;
    known.probedAt = at;
    const life = this.#life;
    return () => {
      if (life === this.#life) known.probes--;
    };
  }

  /** After each step. `viewOf`: the book's word of an origin. */
  look(
    at: number,
    viewOf: (number: number) => { readonly state: OriginState; readonly isIll: boolean; readonly isOrdered: boolean },
  ): void {
    this.#known.forEach((known, number) => {
      const { state, isIll, isOrdered } = viewOf(number);
      const own = known.state === 'trying' ? 'try' : known.state;
      this.#hold('obeyed as told', own === state, `${number}: engines have ${own}, the book ${state}`);
      if (isOrdered) {
        known.isBlamed = true;
        known.heldSince = undefined;
        return;
      }
      if (known.isIll) this.#hold('check decides', state === 'down', `${number} is ${state}`);
      if (state !== 'up') this.#hold('needs a reason', known.isBlamed, `${number} is ${state}`);
      known.heldSince = state === 'down' && !isIll ? (known.heldSince ?? at) : undefined;
      const held = at - (known.heldSince ?? at);
      this.#hold('bounded hold', held <= mostHeld(known.origin) + SLOT_MS, `${number} for ${held} ms`);
      this.#inTime(known, at, state);
    });
    if (this.#violation) throw this.#violation;
  }

  ended(due: number | undefined, waiting: number): void {
    this.#known.forEach(({ state, open }, number) =>
      this.#hold('comes back', state === 'up' && open === 0, `${number} is ${state} with ${open} open`),
    );
    this.#hold('comes back', due === undefined && waiting === 0, `due ${due}, ${waiting} timers`);
    if (this.#violation) throw this.#violation;
  }

  #inTime({ origin }: Known, at: number, state: OriginState): void {
    const { condition, checker, since, number } = origin;
    const isSeen = checker !== undefined && ['closed', 'dropped', 'stopped'].includes(condition);
    if (!isSeen) return;
    const { intervalSeconds, timeoutSeconds, fall } = checker;
    const fast = Math.min(intervalSeconds, Math.max(1, timeoutSeconds));
    const most = (intervalSeconds + (fall - 1) * fast + timeoutSeconds + 0.5) * 1_000;
    const isLate = at - since > most && state !== 'down';
    this.#hold('found in time', !isLate, `${number} is ${condition} for ${at - since} ms, and ${state}`);
  }

  #hold(invariant: Invariant, isTrue: boolean, what: string): void {
    if (!isTrue) this.#violation ??= new Violation(invariant, what);
  }
}

function mostHeld({ checker }: SimOrigin): number {
  return LONGEST_HOLD_MS + 3 * (checker?.intervalSeconds ?? 0) * 1_000;
}
