/**
 * The origins of this edge, watched: what engines tell of dials goes in, states that engines obey come out, and what an
 * operator should know is said. States outlive a restart in a file. It decides no state (origin-health.ts does) and dials
 * nothing. The agent makes one, before the first rule has its targets.
 */
import type { OriginsReport, OriginState } from '../../domain/fact/health.ts';
import type { TargetOutcomes, TargetState } from '../../engines/engine.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { NumberedOrigin, TargetNumbers } from '../origins/numbers.ts';
import type { OriginFile } from './origin-file.ts';
import { type OriginChange, OriginHealth } from './origin-health.ts';

interface OriginWatchParts {
  readonly engines: {
    readonly outcomes: Signal<readonly TargetOutcomes[]>;
    states(changes: readonly TargetState[]): Promise<void>;
  };
  readonly numbers: TargetNumbers;
  readonly file: OriginFile;
  readonly clock: Clock;
  readonly log: Log;
}

/** limit: 100 kB of a report; those that changed last. */
const MOST_TOLD = 1_000;
/** limit: rules named in one line. */
const NAMED = 3;

export class OriginWatch {
  /** Another origin is out of use, or used again. */
  readonly changed = new Signal();
  readonly #parts: OriginWatchParts;
  readonly #health = new OriginHealth();
  /** Origins that are out of use. */
  readonly #down = new Map<number, NumberedOrigin>();
  /** How often an origin left or came back, of those that ever did; by number. */
  readonly #changes = new Map<number, { readonly origin: string; changes: number }>();
  /** Rules all of whose origins are out of use. */
  #failOpen: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(parts: OriginWatchParts) {
    const { engines, numbers, file, clock } = parts;
    this.#parts = parts;
    this.#health.restore(file.found);
    numbers.taken.listen((origin) => {
      this.#carryOut(this.#health.use({ target: origin.number, name: origin.key }, clock.monotonic()));
    });
    numbers.freed.listen((origin) => this.#free(origin));
    engines.outcomes.listen((batch) => {
      const at = clock.monotonic();
      this.#carryOut(batch.flatMap(({ target, counts }) => this.#health.outcomes(target, counts, at)));
    });
  }

  get alarms(): string[] {
    const rules = this.#withoutOrigin();
    return rules.size === 0 ? [] : [`all origins are down, and used as if all were up, of rule ${named(rules)}`];
  }

  /** As control hears it. */
  report(): OriginsReport {
    const origins = [...this.#changes].map(([number, changed]) => ({ ...changed, isUp: !this.#down.has(number) }));
    return { origins: origins.slice(-MOST_TOLD), failOpen: this.#withoutOrigin().size };
  }

  /** What is known is on disk when it resolves. `hasSuccessor`: the next process keeps the file. May be called twice. */
  async close(hasSuccessor: boolean): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    if (!hasSuccessor) this.#save();
    await this.#parts.file.close();
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
    const { log, numbers } = this.#parts;
    const numbered = numbers.get(target);
    if (!numbered) return;
    const { origin, rules } = numbered;
    if (state === 'up') this.#down.delete(target);
    else this.#down.set(target, numbered);
    if (from === 'up' || state === 'up') this.#count(target, origin);
    const facts = { origin, by: cause.by, reason: cause.reason, rules: rules.size };
    if (from === 'up') log.info('an origin is out of use', facts);
    else if (state === 'up') log.info('an origin is used again', facts);
    if (flaps) log.info('an origin comes and goes; its check must find it well more often now', { origin });
  }

  #count(target: number, origin: string): void {
    const { changes } = this.#changes.get(target) ?? { changes: 0 };
    this.#changes.delete(target);
    this.#changes.set(target, { origin, changes: changes + 1 });
  }

  #noteFailOpen(): void {
    const before = this.#failOpen;
    this.#failOpen = this.#withoutOrigin();
    const more = this.#failOpen.difference(before);
    const facts = { rules: more.size, named: named(more) };
    if (more.size > 0) this.#parts.log.warn('all origins of a rule are down; they are used as if all were up', facts);
  }

  /** Rules all of whose origins are out of use. */
  #withoutOrigin(): Set<string> {
    const { numbers } = this.#parts;
    const isDown = ({ number }: NumberedOrigin): boolean => this.#down.has(number);
    return new Set([...this.#rulesOf(this.#down.values())].filter((rule) => numbers.servingOf(rule).every(isDown)));
  }

  #rulesOf(origins: Iterable<NumberedOrigin>): Set<string> {
    const rules = new Set<string>();
    for (const origin of origins) for (const rule of origin.rules) rules.add(rule);
    return rules;
  }

  /** Its number is the next origin's, which begins as up. */
  #free({ number }: NumberedOrigin): void {
    const up: OriginState = 'up';
    if (this.#down.delete(number)) void this.#parts.engines.states([{ target: number, state: up }]);
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
