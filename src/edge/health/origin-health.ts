/**
 * The state of each origin of an edge, from outcomes of dials, results of probes and the word of an operator. Pure: time is
 * an argument (monotonic milliseconds), nothing is dialled, timed or written here; what changed is each method's answer.
 * The agent's health part calls it and hands the changes to `Engine.states`.
 *
 *     use(origin, at)               this origin exists: its number, its name over restarts, its check; before anything else
 *     release(target)               its number is free for another origin; its state is kept for one of the same name
 *     outcomes(target, counts, at)  dials of the last tenth of a second, as engines count them
 *     probe(target, result, at)     one result of the origin's check
 *     others(target, told, at)      what other edges find, settled at once
 *     override(target, word, at)    drained or held up by hand, until a time or for good; undefined: ends it
 *     due(at)                       what time alone changes; call it at `nextDue()`
 *     view(target)                  for status
 *     all(), restore()              over a restart, as kept-origins.ts writes and reads it
 *
 * Its own check goes before what others find, unless most sites find it ill. A check decides over traffic: what it finds ill is
 * down, and what it finds well is held down for rise × interval at most.
 */
import type { DialCounts, OriginState, ProbeResult } from '../../domain/fact/health.ts';
import { afterResult, type CheckRule, UNCHECKED } from './check-verdict.ts';
import { totals } from './dial-window.ts';
import { type Cause, MOST_RISE_FACTOR, newOrigin, type Origin, type Override } from './origin.ts';
import type { OthersWord } from './others.ts';
import { afterEvent, type CheckTimes, type TrafficEvent } from './traffic-phase.ts';

/** An origin as rules use it. Two checks of one address are two origins, with a number each. */
interface UsedOrigin {
  /** As in `Target.number` of the engines' door. */
  readonly target: number;
  /** The same over restarts, and no other origin's. */
  readonly name: string;
  readonly check?: CheckRule | undefined;
}

export interface OriginChange {
  readonly target: number;
  readonly name: string;
  readonly from: OriginState;
  /** `try` after `try`: one more connection shall be tried. */
  readonly state: OriginState;
  readonly cause: Cause;
  /** From now on its check asks for more good results; told once, until the origin has been quiet for a while. */
  readonly flaps?: true;
}

const NONE: readonly OriginChange[] = [];

/** limit: origins out of use that are remembered; about 10 MB. */
const MOST_REMEMBERED = 10_000;
/** limit: an origin that returns sooner than after so many intervals flaps; in use for as many, it has been quiet. */
const FLAP_INTERVALS = 10;

export class OriginHealth {
  readonly #origins = new Map<number, Origin>();
  /** Those that time alone may change. */
  readonly #timed = new Set<Origin>();
  /** By name: released, or read from a file and not used yet. */
  readonly #remembered = new Map<string, Origin>();

  /** May be called twice. With another check, what was known stays until that check's first result, which decides alone. */
  use({ target, name, check }: UsedOrigin, at: number): readonly OriginChange[] {
    if (this.#origins.get(target)?.name !== name) this.release(target);
    const used = this.#origins.get(target);
    const origin = used ?? this.#remembered.get(name) ?? newOrigin(name, at);
    const { told, verdict } = origin;
    this.#remembered.delete(name);
    this.#origins.set(target, origin);
    origin.target = target;
    if (!used || origin.check?.key !== check?.key) origin.others = undefined;
    if (origin.check?.key !== check?.key) origin.verdict = check ? { ...verdict, isFresh: true, run: 0 } : UNCHECKED;
    origin.check = check;
    if (used) return this.#settle(origin, at, { by: 'probe', reason: 'it has another check now, or none' });
    // Engines take a new origin for up.
    origin.told = { ...told, state: 'up' };
    const changes = this.#settle(origin, at, told.cause);
    if (origin.told.state === told.state) origin.told = told;
    return changes;
  }

  /** Unknown numbers are fine. */
  release(target: number): void {
    const origin = this.#origins.get(target);
    if (!origin) return;
    this.#origins.delete(target);
    this.#timed.delete(origin);
    this.#remember(origin);
  }

  /** Of an origin that is held out of use they say nothing: those dials began before. `failedInRow`: as in DialWindow. */
  outcomes(target: number, counts: DialCounts, at: number, failedInRow = 0): readonly OriginChange[] {
    const origin = this.#origins.get(target);
    if (!origin) return NONE;
    const { phase } = origin.traffic;
    if (phase === 'trial') {
      const { ok, failed } = totals(counts);
      if (ok > 0) return this.#heard(origin, 'ok', at, 'a connection that was tried works');
      return failed > 0 ? this.#heard(origin, 'failed', at, 'a connection that was tried failed') : NONE;
    }
    const failing = phase === 'open' ? origin.dials.add(counts, at, failedInRow) : undefined;
    return failing === undefined ? NONE : this.#heard(origin, 'failing', at, failing);
  }

  /** Of the check that the origin was last used with; a result of another check must not come here. */
  probe(target: number, { verdict, reason }: ProbeResult, at: number): readonly OriginChange[] {
    const origin = this.#origins.get(target);
    if (!origin?.check) return NONE;
    const before = origin.verdict;
    origin.verdict = afterResult(before, verdict, origin.check.rise * origin.own.riseFactor, origin.check.fall);
    const isRecovered = before.verdict === 'unhealthy' && origin.verdict.verdict === 'healthy';
    if (isRecovered) this.#enter(origin, 'recovered', at);
    else if (verdict !== 'unknown') this.#enter(origin, verdict === 'healthy' ? 'well' : 'ill', at);
    return this.#settle(origin, at, { by: 'probe', reason });
  }

  /** `isOwn`: this edge probes it as well. With no word, what was known stays until it has a result of its own. */
  others(
    target: number,
    { word, isOwn }: { readonly word: OthersWord | undefined; readonly isOwn: boolean },
    at: number,
  ): readonly OriginChange[] {
    const origin = this.#origins.get(target);
    if (!origin?.check) return NONE;
    const wasIll = isIll(origin);
    origin.others = word;
    if (!isOwn) origin.verdict = { ...origin.verdict, isFresh: true, run: 0 };
    if (word && origin.verdict.isFresh) origin.verdict = { ...UNCHECKED, verdict: word.verdict };
    if (wasIll && !isIll(origin)) this.#enter(origin, 'recovered', at);
    return this.#settle(origin, at, { by: 'fleet', reason: reasonOf(origin) });
  }

  override(target: number, word: Override | undefined, at: number): readonly OriginChange[] {
    const origin = this.#origins.get(target);
    if (!origin) return NONE;
    origin.override = word;
    const reason = word ? `set ${word.state} by hand` : 'no longer set by hand';
    return this.#settle(origin, at, { by: 'operator', reason });
  }

  /** Undefined: nothing changes without news. */
  nextDue(): number | undefined {
    let next = Infinity;
    for (const { traffic, override } of this.#timed)
      next = Math.min(next, traffic.until ?? Infinity, override?.until ?? Infinity);
    return next === Infinity ? undefined : next;
  }

  due(at: number): readonly OriginChange[] {
    return [...this.#timed].flatMap((origin) => {
      const { override, traffic } = origin;
      const hasEnded = (override?.until ?? Infinity) <= at;
      const ended = hasEnded ? this.override(origin.target, undefined, at) : NONE;
      if ((traffic.until ?? Infinity) > at) return ended;
      const event = traffic.phase === 'held' ? overWith(origin) : 'over';
      return [...ended, ...this.#heard(origin, event, at, 'its time out of use is over', event === 'over')];
    });
  }

  view(target: number): Readonly<Omit<Origin, 'dials'>> | undefined {
    return this.#origins.get(target);
  }

  /** Every origin that is used or remembered. */
  all(): Iterable<Origin> {
    return [...this.#remembered.values(), ...this.#origins.values()];
  }

  /** Before the first `use`: origins of an earlier process. */
  restore(origins: Iterable<Origin>): void {
    for (const origin of origins) this.#remember(origin);
  }

  #remember(origin: Origin): void {
    this.#remembered.delete(origin.name);
    this.#remembered.set(origin.name, origin);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  #heard(origin: Origin, event: TrafficEvent, at: number, reason: string, again = false): readonly OriginChange[] {
    this.#enter(origin, event, at);
    return this.#settle(origin, at, { by: 'traffic', reason }, again);
  }

  #enter(origin: Origin, event: TrafficEvent, at: number): void {
    const { phase } = origin.traffic;
    origin.traffic = afterEvent(origin.traffic, event, at, timesOf(origin));
    if (phase !== origin.traffic.phase) origin.dials.clear();
  }

  /** Brings what engines were told up to date. `again`: a try is told even where it was one before. */
  #settle(origin: Origin, at: number, cause: Cause, again = false): readonly OriginChange[] {
    const flaps = settleOwn(origin, at);
    const { target, name, traffic, override, own, told } = origin;
    if (traffic.until === undefined && override?.until === undefined) this.#timed.delete(origin);
    else this.#timed.add(origin);
    const state = override?.state ?? own.state;
    if (state === told.state && !(again && state === 'try')) return NONE;
    const since = state === told.state ? told.since : at;
    origin.told = { state, since, cause, ...(state === 'up' && { isBack: true }) };
    return [{ target, name, from: told.state, state, cause, ...(flaps && { flaps: true }) }];
  }
}

/** The state without the operator's word. True where the origin begins to flap. */
function settleOwn(origin: Origin, at: number): boolean {
  const { own, check } = origin;
  const state = ownState(origin);
  if (state === own.state) return false;
  // Between down and try it is out of use all the same.
  if (state !== 'up' && own.state !== 'up') {
    origin.own = { ...own, state };
    return false;
  }
  const isQuiet = check === undefined || at - own.since >= FLAP_INTERVALS * check.intervalMs;
  const isFlap = state === 'up' && !isQuiet;
  const kept = state === 'down' && isQuiet ? 1 : own.riseFactor;
  const riseFactor = isFlap ? Math.min(kept * 2, MOST_RISE_FACTOR) : kept;
  origin.own = { state, since: at, riseFactor };
  return isFlap && kept === 1;
}

function ownState(origin: Origin): OriginState {
  if (isIll(origin)) return 'down';
  return ({ open: 'up', held: 'down', awaiting: 'down', trial: 'try' } as const)[origin.traffic.phase];
}

/** Of the others' word, where it changes the state. */
function reasonOf({ verdict, others }: Origin): string {
  if (others?.overrules) return 'more than half of the sites find it ill';
  if (!verdict.isFresh && verdict.verdict !== 'unknown') return 'no more than half of the sites find it ill';
  const finding = { healthy: 'find it well', unhealthy: 'find it ill', unknown: 'cannot tell how it is' };
  return `other edges ${finding[others?.verdict ?? 'unknown']}`;
}

function isIll({ verdict, others }: Origin): boolean {
  if (others?.overrules) return true;
  const isOwn = !verdict.isFresh && verdict.verdict !== 'unknown';
  return (isOwn ? verdict.verdict : (others?.verdict ?? verdict.verdict)) === 'unhealthy';
}

/** Of a check whose word stands; nothing where it can't tell, or has not spoken yet. */
function timesOf({ check, verdict, own }: Origin): CheckTimes | undefined {
  if (!check || verdict.isFresh || verdict.verdict === 'unknown') return undefined;
  return { intervalMs: check.intervalMs, rise: check.rise * own.riseFactor };
}

function overWith(origin: Origin): TrafficEvent {
  if (!timesOf(origin)) return 'over';
  return origin.traffic.wells > 0 ? 'over-proven' : 'over-checked';
}
