/**
 * The origins of this edge, watched: what engines tell of dials and what checks find goes in, states that engines obey come
 * out, and what an operator should know is said. States outlive a restart in a file. It decides no state (origin-health.ts
 * does) and dials nothing. The agent makes one, before the first rule has its targets.
 */
import type { HealthTimes, OriginState } from '../../domain/fact/health.ts';
import type { TargetOutcomes, TargetState } from '../../engines/engine.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Rng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { NumberedOrigin } from '../origins/numbers.ts';
import type { Origins } from '../origins/origins.ts';
import { UNCHECKED } from './check-verdict.ts';
import type { Moment } from './kept-origins.ts';
import type { Override } from './origin.ts';
import { Checks } from './checks.ts';
import { FailOpen } from './facts/fail-open.ts';
import { OriginFacts } from './facts/origin-facts.ts';
import type { OriginFile } from './origin-file.ts';
import { type OriginChange, OriginHealth } from './origin-health.ts';
import { Others } from './others.ts';
import { probe } from './probe.ts';
import { checkRule, type Run } from './schedule.ts';
import { SlowStarts } from './slow-start.ts';
import { TimeCounts } from './facts/time-counts.ts';

interface OriginWatchParts {
  readonly edge: string;
  readonly engines: {
    readonly outcomes: Signal<readonly TargetOutcomes[]>;
    states(changes: readonly TargetState[]): Promise<void>;
  };
  readonly origins: Pick<Origins, 'numbers' | 'pools' | 'dialling'>;
  readonly file: OriginFile;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** limit: rules named in one line. */
const NAMED = 3;

export class OriginWatch {
  /** Other origins are out of use, or used again. */
  readonly changed = new Signal();
  readonly others: Others;
  readonly checks: Checks;
  readonly facts: OriginFacts;
  readonly #parts: OriginWatchParts;
  readonly #health = new OriginHealth();
  readonly #failOpen: FailOpen;
  readonly #starts = new SlowStarts();
  readonly #times = { probe: new TimeCounts(), lag: new TimeCounts(), flip: new TimeCounts() };
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: OriginWatchParts) {
    const { edge, engines, origins, file, clock, rng } = parts;
    const { numbers, pools, dialling } = origins;
    this.#parts = parts;
    this.#failOpen = new FailOpen(numbers);
    const run: Run = (address, checker) => probe(address, checker, { clock, rng, ...dialling });
    this.others = new Others(edge, clock);
    this.checks = new Checks(clock, run, this.others);
    this.facts = new OriginFacts({ numbers, health: this.#health, checks: this.checks, clock });
    this.#health.restore(file.found);
    numbers.taken.listen((origin) => this.#use(origin));
    numbers.freed.listen((origin) => this.#free(origin));
    pools.changed.listen((pool) => this.checks.pool(pool));
    this.checks.results.listen(({ targets, result }) => {
      const at = clock.monotonic();
      this.#carryOut(targets.flatMap((target) => this.#health.probe(target, result, at)));
    });
    this.checks.shared.listen((shared) => {
      const at = clock.monotonic();
      const told = shared.flatMap(({ targets, ...others }) => targets.map((target) => ({ target, others })));
      this.#carryOut(told.flatMap(({ target, others }) => this.#health.others(target, others, at)));
    });
    this.checks.probed.listen(({ ms, lagMs }) => {
      this.#times.probe.add(ms);
      this.#times.lag.add(lagMs);
    });
    engines.outcomes.listen((batch) => this.#hear(batch));
  }

  get alarms(): string[] {
    const rules = this.#failOpen.rules();
    return rules.size === 0 ? [] : [`all origins are down, and used as if all were up, of rule ${named(rules)}`];
  }

  /** How many rules use origins that are all down. */
  failOpen(): number {
    return this.#failOpen.rules().size;
  }

  times(): HealthTimes {
    const { probe, lag, flip } = this.#times;
    return { probe: probe.told, lag: lag.told, flip: flip.told };
  }

  /** What is known is on disk when it resolves. `hasSuccessor`: the next process keeps the file. May be called twice. */
  async close(hasSuccessor: boolean): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.checks.close();
    this.others.close();
    if (!hasSuccessor) this.#save();
    await this.#parts.file.close();
  }

  #use(origin: NumberedOrigin): void {
    const { number: target, key: name, check, override } = origin;
    const { clock } = this.#parts;
    const at = clock.monotonic();
    const rule = check && checkRule(check.checker);
    this.#failOpen.gained(origin);
    const changes = [
      ...this.#health.use({ target, name, check: rule }, at),
      ...this.#health.override(target, override && standing(override, { wall: clock.now(), monotonic: at }), at),
    ];
    // Where it was on its way when the process before ended, that is news to engines.
    const state = changes.length === 0 ? this.#stateOf(target, this.#health.view(target)!.told.state, at) : undefined;
    if (state?.share !== undefined) void this.#parts.engines.states([state]);
    this.#carryOut(changes);
    // order: its check may know at once how it is.
    this.checks.ask(origin, this.#health.view(target)?.verdict ?? UNCHECKED);
    this.facts.changed.tell(target);
  }

  #hear(batch: readonly TargetOutcomes[]): void {
    const { clock, origins } = this.#parts;
    const at = clock.monotonic();
    const changes = batch.flatMap(({ target, counts, failedInRow }) => {
      const origin = origins.numbers.get(target);
      if (!origin) return [];
      this.facts.countDials(target, counts.ok ?? 0);
      // Where dials are not to be signals, they say nothing.
      return origin.passive ? this.#health.outcomes(target, counts, at, failedInRow) : [];
    });
    this.#carryOut(changes);
  }

  /** order: engines first. */
  #carryOut(changes: readonly OriginChange[]): void {
    if (this.#isClosed) return;
    if (changes.length > 0) {
      void this.#tellEngines(changes);
      for (const change of changes) this.#note(change);
      this.#noteFailOpen(changes);
      this.#save();
      this.changed.tell();
      for (const { target } of changes) this.facts.changed.tell(target);
    }
    this.#wake();
  }

  async #tellEngines(changes: readonly OriginChange[]): Promise<void> {
    const { engines, clock } = this.#parts;
    const start = clock.monotonic();
    await engines.states(changes.map(({ target, state }) => this.#stateOf(target, state, start)));
    this.#times.flip.add(clock.monotonic() - start);
  }

  /** With the share of one that came back a moment ago. */
  #stateOf(target: number, state: OriginState, at: number): TargetState {
    const { told } = this.#health.view(target) ?? {};
    const { slowStartSeconds = 0 } = this.#parts.origins.numbers.get(target) ?? {};
    const backSince = told?.isBack ? told.since : undefined;
    return this.#starts.begin(target, state, { backSince, slowStartSeconds }, at);
  }

  /** One line per change: a connection that is tried changes nothing for an operator. */
  #note({ target, from, state, cause, flaps }: OriginChange): void {
    const { log, origins } = this.#parts;
    const numbered = origins.numbers.get(target);
    if (!numbered) return;
    const { origin, group, rules } = numbered;
    this.#failOpen.set(numbered, state !== 'up');
    if (from === 'up' || state === 'up') this.facts.countChange(target);
    const which = { origin, ...(group !== '' && { group }) };
    const facts = { ...which, by: cause.by, reason: cause.reason, rules: rules.size };
    if (from === 'up') log.info('an origin is out of use', facts);
    else if (state === 'up') log.info('an origin is used again', facts);
    if (flaps) log.info('an origin comes and goes; its check must find it well more often now', which);
    if (state === 'down' && cause.by === 'traffic') this.checks.hasten(target);
  }

  #noteFailOpen(changes: readonly OriginChange[]): void {
    const { log, origins } = this.#parts;
    const lost = this.#failOpen.lost(changes.flatMap(({ target }) => origins.numbers.get(target) ?? []));
    const facts = { rules: lost.size, named: named(lost) };
    if (lost.size > 0) log.warn('all origins of a rule are down; they are used as if all were up', facts);
  }

  /** Its number is the next origin's, which begins as up. */
  #free(origin: NumberedOrigin): void {
    const { number } = origin;
    const [wasDown, wasStarting] = [this.#failOpen.set(origin, false), this.#starts.end(number)];
    if (wasDown || wasStarting) void this.#parts.engines.states([{ target: number, state: 'up' }]);
    this.checks.leave(number);
    this.#health.release(number);
    this.facts.forget(number);
  }

  #save(): void {
    this.#parts.file.save(() => this.#health.all());
  }

  /** For what time alone changes. */
  #wake(): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    const due = Math.min(this.#health.nextDue() ?? Infinity, this.#starts.nextDue() ?? Infinity);
    if (due === Infinity) return;
    const wait = Math.max(0, Math.ceil(due - clock.monotonic()));
    this.#timer = clock.after(wait, () => {
      const at = clock.monotonic();
      const shares = this.#starts.due(at);
      if (shares.length > 0) void this.#parts.engines.states(shares);
      this.#carryOut(this.#health.due(at));
    });
  }
}

/** The word on this process's clock; undefined: it has ended. */
function standing({ state, until }: NonNullable<NumberedOrigin['override']>, now: Moment): Override | undefined {
  if (until === undefined) return { state };
  return until > now.wall ? { state, until: now.monotonic + until - now.wall } : undefined;
}

function named(rules: ReadonlySet<string>): string {
  const more = rules.size > NAMED ? ` and ${rules.size - NAMED} more` : '';
  return `${[...rules].slice(0, NAMED).join(', ')}${more}`;
}
