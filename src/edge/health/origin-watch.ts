/**
 * The origins of this edge, watched: what engines tell of dials and what checks find goes in, states that engines obey come
 * out, and what an operator should know is said. States outlive a restart in a file. It decides no state (origin-health.ts
 * does) and dials nothing. The agent makes one, before the first rule has its targets.
 */
import type { OriginsReport, OriginState } from '../../domain/fact/health.ts';
import type { TargetOutcomes, TargetState } from '../../engines/engine.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Rng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { NumberedOrigin } from '../origins/numbers.ts';
import type { Origins } from '../origins/origins.ts';
import { UNCHECKED } from './check-verdict.ts';
import { Checks } from './checks.ts';
import { FailOpen } from './fail-open.ts';
import type { OriginFile } from './origin-file.ts';
import { type OriginChange, OriginHealth } from './origin-health.ts';
import { probe } from './probe.ts';
import { checkRule } from './schedule.ts';

interface OriginWatchParts {
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

/** limit: 100 kB of a report; those that changed last. */
const MOST_TOLD = 1_000;
/** limit: rules named in one line. */
const NAMED = 3;

export class OriginWatch {
  /** Other origins are out of use, or used again. */
  readonly changed = new Signal();
  readonly checks: Checks;
  readonly #parts: OriginWatchParts;
  readonly #health = new OriginHealth();
  readonly #failOpen: FailOpen;
  /** Rules all of whose origins were out of use when an origin changed last. */
  #without: ReadonlySet<string> = new Set();
  /** How often an origin left or came back, of those that ever did; by number. */
  readonly #changes = new Map<number, { readonly origin: string; changes: number }>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: OriginWatchParts) {
    const { engines, origins, file, clock, rng } = parts;
    const { numbers, pools, dialling } = origins;
    this.#parts = parts;
    this.#failOpen = new FailOpen(numbers);
    this.checks = new Checks(clock, (address, checker) => probe(address, checker, { clock, rng, ...dialling }));
    this.#health.restore(file.found);
    numbers.taken.listen((origin) => this.#use(origin));
    numbers.freed.listen((origin) => this.#free(origin));
    pools.changed.listen((pool) => this.checks.pool(pool));
    this.checks.results.listen(({ targets, result }) => {
      const at = clock.monotonic();
      this.#carryOut(targets.flatMap((target) => this.#health.probe(target, result, at)));
    });
    engines.outcomes.listen((batch) => this.#hear(batch));
  }

  get alarms(): string[] {
    const rules = this.#failOpen.rules();
    return rules.size === 0 ? [] : [`all origins are down, and used as if all were up, of rule ${named(rules)}`];
  }

  /** As control hears it. */
  report(): OriginsReport {
    const isUp = (number: number): boolean => this.#health.view(number)?.told.state === 'up';
    const origins = [...this.#changes].map(([number, changed]) => ({ ...changed, isUp: isUp(number) }));
    return { origins: origins.slice(-MOST_TOLD), failOpen: this.#failOpen.rules().size };
  }

  /** What is known is on disk when it resolves. `hasSuccessor`: the next process keeps the file. May be called twice. */
  async close(hasSuccessor: boolean): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.checks.close();
    if (!hasSuccessor) this.#save();
    await this.#parts.file.close();
  }

  #use(origin: NumberedOrigin): void {
    const { number: target, key: name, check } = origin;
    const rule = check && checkRule(check.checker);
    this.#carryOut(this.#health.use({ target, name, check: rule }, this.#parts.clock.monotonic()));
    // order: its check may know at once how it is.
    this.checks.ask(origin, this.#health.view(target)?.verdict ?? UNCHECKED);
  }

  /** Of an origin that is not to be judged by its dials they say nothing. */
  #hear(batch: readonly TargetOutcomes[]): void {
    const { clock, origins } = this.#parts;
    const at = clock.monotonic();
    const judging = batch.filter(({ target }) => origins.numbers.get(target)?.passive === true);
    this.#carryOut(judging.flatMap(({ target, counts }) => this.#health.outcomes(target, counts, at)));
  }

  /** order: engines first. */
  #carryOut(changes: readonly OriginChange[]): void {
    if (this.#isClosed) return;
    if (changes.length > 0) {
      void this.#parts.engines.states(changes.map(({ target, state }) => ({ target, state })));
      for (const change of changes) this.#note(change);
      this.#noteFailOpen();
      this.#save();
      this.changed.tell();
    }
    this.#wake();
  }

  /** One line per change: a connection that is tried changes nothing for an operator. */
  #note({ target, from, state, cause, flaps }: OriginChange): void {
    const { log, origins } = this.#parts;
    const numbered = origins.numbers.get(target);
    if (!numbered) return;
    const { origin, rules } = numbered;
    this.#failOpen.set(numbered, state !== 'up');
    if (from === 'up' || state === 'up') this.#count(target, origin);
    const facts = { origin, by: cause.by, reason: cause.reason, rules: rules.size };
    if (from === 'up') log.info('an origin is out of use', facts);
    else if (state === 'up') log.info('an origin is used again', facts);
    if (flaps) log.info('an origin comes and goes; its check must find it well more often now', { origin });
    if (state === 'down' && cause.by === 'traffic') this.checks.hasten(target);
  }

  #count(target: number, origin: string): void {
    const { changes } = this.#changes.get(target) ?? { changes: 0 };
    this.#changes.delete(target);
    this.#changes.set(target, { origin, changes: changes + 1 });
  }

  #noteFailOpen(): void {
    const before = this.#without;
    this.#without = this.#failOpen.rules();
    const more = this.#without.difference(before);
    const facts = { rules: more.size, named: named(more) };
    if (more.size > 0) this.#parts.log.warn('all origins of a rule are down; they are used as if all were up', facts);
  }

  /** Its number is the next origin's, which begins as up. */
  #free(origin: NumberedOrigin): void {
    const { number } = origin;
    const up: OriginState = 'up';
    if (this.#failOpen.set(origin, false)) void this.#parts.engines.states([{ target: number, state: up }]);
    this.checks.leave(number);
    this.#changes.delete(number);
    this.#health.release(number);
  }

  #save(): void {
    this.#parts.file.save(() => this.#health.all());
  }

  /** For what time alone changes. */
  #wake(): void {
    const { clock } = this.#parts;
    this.#timer?.cancel();
    const due = this.#health.nextDue();
    if (due === undefined) return;
    const wait = Math.max(0, Math.ceil(due - clock.monotonic()));
    this.#timer = clock.after(wait, () => this.#carryOut(this.#health.due(clock.monotonic())));
  }
}

function named(rules: ReadonlySet<string>): string {
  const more = rules.size > NAMED ? ` and ${rules.size - NAMED} more` : '';
  return `${[...rules].slice(0, NAMED).join(', ')}${more}`;
}
