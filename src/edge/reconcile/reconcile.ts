/**
 * Makes the engines do what the plan says, rule by rule: steps of one rule follow each other, rules don't wait for each
 * other. It is told differences, remembers what is wanted, and tries again what failed; what it can't do it says, per
 * rule, in words. It knows no names and no addresses (origins/) and no calls (placements.ts). The agent owns one. See
 * LIFECYCLE.md for the life of a rule.
 */
import { createBackoff } from '../../lib/backoff.ts';
import type { Rng } from '../../lib/rng.ts';
import type { Signal } from '../../lib/signal.ts';
import type { Log } from '../../observe/log.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { RuleDelta } from '../../plan/planner.ts';
import type { Applied } from '../../engines/engine.ts';
import type { EngineName } from '../../engines/registry.ts';
import type { Origins } from '../origins/origins.ts';
import { LATE_MS } from './engine-calls.ts';
import { type ChoiceOptions, engineFor } from './engine-choice.ts';
import { Placements, type PlacementsOptions } from './placements.ts';
import { newState, type RuleState } from './rule-state.ts';
import { type Pending, Watermark } from './watermark.ts';

interface ReconcileOptions extends PlacementsOptions, ChoiceOptions {
  readonly engines: PlacementsOptions['engines'];
  readonly origins: Pick<Origins, 'use' | 'targets' | 'listens' | 'changed'>;
  readonly rng: Rng;
  readonly log: Log;
  /** Something that a report tells is different. */
  readonly changed: Signal;
  /** Engines do for this rule what is wanted, and nothing else. */
  readonly settled: (rule: string) => void;
}

/** What comes with a difference. */
interface Beside {
  /** The whole plan: engines may do things that are not in it. */
  readonly all?: ReadonlyMap<string, PlannedRule>;
  /** Limits that are being written for the revision, which is not applied before that; nor is a rule that `waits` for it. */
  readonly limits?: Promise<void> | undefined;
  readonly waits?: (rule: string) => boolean;
}

interface Outcome {
  /** Empty: all is as wanted. */
  readonly failure: string;
  /** Trying again may help. */
  readonly again: boolean;
}

/** A port that the rule before just lets go is free a moment later; only then is it a failure. */
const QUICK_MS = [20, 80, 200] as const;
const RETRY_MS = { first: 1_000, max: 30_000 } as const;
const DONE: Outcome = { failure: '', again: false };
const LATE: Outcome = { failure: `the engine has not answered for ${LATE_MS / 1_000} s`, again: false };

export class Reconciler {
  readonly placements: Placements;
  readonly #options: ReconcileOptions;
  readonly #rules = new Map<string, RuleState>();
  readonly #watermark = new Watermark();
  #isStopped = false;

  constructor(options: ReconcileOptions) {
    this.#options = options;
    this.placements = new Placements(options);
    options.origins.changed.listen((rules) => this.retry(rules));
  }

  /** Every revision up to this one is applied, its rules in force or listed as failed. */
  get applied(): number {
    return this.#watermark.applied;
  }

  /** No change is under way. */
  get settled(): boolean {
    return this.#watermark.settled;
  }

  /** The plan has changed by this with this revision. */
  feed(delta: RuleDelta, revision: number, { all, limits, waits }: Beside = {}): void {
    const pending = this.#watermark.begin(revision);
    if (all) void this.#settleAfter(this.#prune(all), pending);
    if (limits) void this.#settleAfter(limits, pending);
    for (const id of delta.drop) this.#want(id, undefined, pending);
    for (const rule of delta.put) this.#want(rule.id, rule, pending, waits?.(rule.id) ? limits : undefined);
    this.#watermark.settle(pending);
    this.#options.changed.tell();
  }

  /** Another history starts with the next feed. */
  restart(): void {
    this.#watermark.restart();
  }

  /** A listener went down by itself, or is back. */
  listener(engine: EngineName, id: string, state: Applied): void {
    const rule = this.#rules.get(id);
    if (!rule || this.placements.get(id)?.engine !== engine) return;
    if (state.ok) return this.#poke(rule);
    rule.failure = state.reason;
    this.#options.log.warn('a rule went down', { rule: id, engine, reason: state.reason });
    this.#retryLater(rule);
    this.#options.changed.tell();
  }

  *failures(): Generator<{ readonly id: string; readonly reason: string }> {
    for (const { id, failure } of this.#rules.values()) if (failure !== '') yield { id, reason: failure };
  }

  /** Rules that are served, with names of origins that have no address so far. */
  *unresolved(): Generator<{ readonly id: string; readonly names: readonly string[] }> {
    for (const { id, unresolved: names } of this.#rules.values())
      if (names.length > 0 && this.placements.get(id)) yield { id, names };
  }

  /** No engine has it yet, or one that rewrites packets. */
  isRouted(id: string): boolean {
    const placed = this.placements.get(id);
    return !placed || this.placements.translates(placed);
  }

  /** Something that these rules need may be different: they do not wait for their turn. */
  retry(rules: Iterable<string>): void {
    for (const id of rules) this.#poke(this.#rules.get(id));
  }

  /** The process before this one serves no more: rules that waited for that go where they belong. */
  begin(): void {
    for (const rule of this.#rules.values()) {
      const choice = rule.want && engineFor(rule.want, this.#options);
      if (choice && 'engine' in choice && choice.engine !== this.placements.get(rule.id)?.engine) this.#poke(rule);
    }
  }

  /** No step starts any more; engines are left as they are. */
  stop(): void {
    this.#isStopped = true;
    for (const { retry } of this.#rules.values()) retry?.cancel();
  }

  /** An engine that outlives the edge (kernel) may still do what an earlier run wanted. */
  async #prune(rules: ReadonlyMap<string, PlannedRule>): Promise<void> {
    const { running } = this.#options.engines;
    const keep = new Map([...running.keys()].map((name) => [name, new Set<string>()]));
    for (const rule of rules.values()) {
      const choice = engineFor(rule, this.#options);
      if ('engine' in choice) keep.get(choice.engine)?.add(rule.id);
    }
    for (const [id, { engine }] of this.placements.all()) keep.get(engine)?.add(id);
    for (const [name, engine] of running)
      await engine.prune(keep.get(name) ?? new Set()).catch((error: unknown) => {
        this.#options.log.error('an engine could not be pruned', { engine: name, reason: (error as Error).message });
      });
  }

  /** One more piece of the revision. */
  async #settleAfter(work: Promise<void>, pending: Pending): Promise<void> {
    this.#watermark.add(pending);
    await work;
    this.#watermark.settle(pending);
    this.#options.changed.tell();
  }

  #want(id: string, want: PlannedRule | undefined, pending: Pending, limits?: Promise<void>): void {
    let rule = this.#rules.get(id);
    if (!rule) {
      if (!want) return this.#options.settled(id);
      rule = newState(id);
      this.#rules.set(id, rule);
    }
    rule.want = want;
    rule.limits = limits;
    if (!rule.isLate) rule.next.push(this.#watermark.add(pending));
    this.#options.origins.use(id, want?.origins ?? []);
    this.#poke(rule);
  }

  #poke(rule: RuleState | undefined): void {
    if (!rule || this.#isStopped) return;
    rule.isDirty = true;
    if (!rule.isWorking) void this.#work(rule);
  }

  async #work(rule: RuleState): Promise<void> {
    rule.isWorking = true;
    while (rule.isDirty && !this.#isStopped) {
      rule.isDirty = false;
      rule.retry?.cancel();
      rule.current.push(...rule.next.splice(0));
      const outcome = await this.#tryQuickly(rule);
      this.#settle(rule, outcome);
      if (!outcome.again && !rule.isDirty && !this.#isStopped) this.#options.settled(rule.id);
    }
    rule.isWorking = false;
    if (rule.want || rule.isDirty || this.placements.get(rule.id)) return;
    this.#rules.delete(rule.id);
    this.#options.origins.use(rule.id, []);
  }

  #settle(rule: RuleState, outcome: Outcome): void {
    if (rule.failure !== outcome.failure && outcome.failure !== '')
      this.#options.log.warn('a rule cannot be applied', { rule: rule.id, reason: outcome.failure });
    rule.failure = outcome.failure;
    for (const pending of rule.current.splice(0)) this.#watermark.settle(pending);
    if (outcome.again && !rule.isDirty) this.#retryLater(rule);
    else if (!outcome.again) rule.backoff = undefined;
    this.#options.changed.tell();
  }

  #retryLater(rule: RuleState): void {
    rule.retry?.cancel();
    rule.backoff ??= createBackoff(RETRY_MS.first, RETRY_MS.max, this.#options.rng);
    rule.retry = this.#options.clock.after(rule.backoff.next(), () => this.#poke(rule));
  }

  async #tryQuickly(rule: RuleState): Promise<Outcome> {
    let outcome = await this.#step(rule);
    for (const ms of QUICK_MS) {
      if (!outcome.again || rule.isDirty || this.#isStopped) break;
      await this.#options.clock.sleep(ms);
      outcome = await this.#step(rule);
    }
    return outcome;
  }

  async #step(rule: RuleState): Promise<Outcome> {
    const { id, want, limits } = rule;
    // order: limits are in force before the engine lets a client in; another thing may be wanted by then.
    if (limits) await limits;
    if (this.#isStopped) return DONE;
    if (rule.want !== want) return this.#step(rule);
    const lateness = (isLate: boolean): void => this.#noteLateness(rule, isLate);
    const choice = want && engineFor(want, this.#options);
    if (!choice || 'failure' in choice) {
      const left = await this.placements.leave(id, lateness);
      return left.ok ? { failure: choice?.failure ?? '', again: false } : { failure: left.reason, again: true };
    }
    const isTranslated = this.placements.translates(choice);
    const { targets, unresolved, notes, refusal } = await this.#options.origins.targets(want, isTranslated);
    // No failure, and not tried again from here: the rule is served, and the first address of its name brings its origin.
    rule.unresolved = unresolved;
    const { origins: _, ...rest } = want;
    const applied = await this.placements.apply({ engine: choice, listener: { ...rest, targets }, notes, lateness });
    if (!applied.ok) return { failure: applied.reason, again: true };
    // A relay says why it does not dial; a table in the kernel can only refuse.
    return isTranslated && refusal !== undefined ? { failure: refusal, again: false } : DONE;
  }

  #noteLateness(rule: RuleState, isLate: boolean): void {
    rule.isLate = isLate;
    if (!isLate) return;
    rule.current.push(...rule.next.splice(0));
    this.#settle(rule, LATE);
  }
}
