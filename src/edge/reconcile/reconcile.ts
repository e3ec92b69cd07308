/**
 * Makes the engines do what the plan says, rule by rule: steps of one rule follow each other, rules don't wait for each
 * other. It is told differences, remembers what is wanted, and tries again what failed; what it can't do it says, per
 * rule, in words. The agent owns one. See LIFECYCLE.md for the life of a rule.
 */
import { createBackoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { createGate } from '../../lib/gate.ts';
import type { EgressRule } from '../../lib/net/egress.ts';
import type { Rng } from '../../lib/rng.ts';
import type { Log } from '../../observe/log.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { PlanDelta } from '../../plan/planner.ts';
import { chooseEngine, type Choice, WAITS, whatChanges } from '../../engines/hosting/choose.ts';
import { TABLE_NAME } from '../../engines/kernel/table/table.ts';
import type { Applied, Engine, Listener } from '../../engines/engine.ts';
import type { EngineName, EngineSetting } from '../../engines/registry.ts';
import type { EngineSet } from '../../engines/hosting/engine-set.ts';
import { Ledger, type Mark } from './ledger.ts';
import type { OriginNames } from '../origins/resolve.ts';
import { judgeTargets } from '../origins/judge.ts';
import { Loops } from '../origins/loops.ts';
import { originNames, targetsOf } from '../origins/targets.ts';
import { blank, type Placed, type Slot, withNotes } from './slot.ts';
import type { Tables } from '../tables/tables.ts';

interface ReconcileOptions {
  readonly engines: Pick<EngineSet, 'running' | 'capabilities'>;
  readonly setting: EngineSetting;
  readonly names: OriginNames;
  /** What may be dialled. */
  readonly egress: EgressRule;
  /** Whether an address is this machine's. */
  readonly isLocal: (address: string) => boolean;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  /** Something that a report tells is different. */
  readonly changed: () => void;
  /** Engines do for this rule what is wanted, and nothing else. */
  readonly settled?: (rule: string) => void;
  /**
   * It comes with sockets that the process before this one serves still. An engine that takes them over waits with them; one
   * that has none would begin too early, or lose who waits in them. So it goes to a relay until `begin`.
   */
  readonly comesWithSockets?: (rule: PlannedRule) => boolean;
  /** What tables in the kernel hold; absent: nothing. */
  readonly tables?: Pick<Tables, 'inTheWay' | 'note' | 'drop'>;
}

interface Around {
  readonly all?: ReadonlyMap<string, PlannedRule>;
  readonly beside?: Promise<void> | undefined;
  readonly waits?: (rule: string) => boolean;
}

interface Outcome {
  /** Empty: all is as wanted. */
  readonly failure: string;
  /** Trying again may help. */
  readonly again: boolean;
}

/** limit: enough to keep engine threads busy, few enough that one change among 100,000 gets its turn at once. */
const AT_ONCE = 64;
/** An engine that has not answered by then no longer holds up the ack, nor other rules. */
const LATE_MS = 5_000;
/** A port that the rule before just lets go is free a moment later; only then is it a failure. */
const QUICK_MS = [20, 80, 200] as const;
const RETRY_MS = { first: 1_000, max: 30_000 } as const;
/** How long a new rule waits for the first answer to its origin's name. */
const NAME_MS = 1_000;
/** A client that has been answered by a socket and whose own answer is on its way still finds it. */
const HANDSHAKE_MS = 1_000;
const DONE: Outcome = { failure: '', again: false };
const LATE: Outcome = { failure: `the engine has not answered for ${LATE_MS / 1_000} s`, again: false };

export class Reconciler {
  readonly #options: ReconcileOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #gate = createGate(AT_ONCE);
  readonly #ledger = new Ledger();
  readonly #loops: Loops;
  #moved = new Set<string>();
  #stopped = false;

  constructor(options: ReconcileOptions) {
    this.#options = options;
    this.#loops = new Loops(options.isLocal);
    options.names.changed = (rules) => {
      for (const rule of rules) this.#poke(this.#slots.get(rule));
    };
  }

  /** Everything up to here is applied, or listed as failed. */
  get applied(): number {
    return this.#ledger.applied;
  }

  /** No change is under way. */
  get settled(): boolean {
    return this.#ledger.settled;
  }

  /**
   * The plan has changed by this with this revision. `all`: and engines may do things that are not in it. `beside`: what
   * somebody else does for the revision, which is not applied before that; nor is a rule that `waits` for it.
   */
  feed(delta: PlanDelta, revision: number, { all, beside, waits }: Around = {}): void {
    const mark = this.#ledger.begin(revision);
    if (all) void this.#prune(all, this.#ledger.add(mark));
    if (beside) void this.#await(beside, this.#ledger.add(mark));
    for (const id of delta.drop) this.#want(id, undefined, mark);
    for (const rule of delta.put) this.#want(rule.id, rule, mark, waits?.(rule.id) ? beside : undefined);
    this.#ledger.settle(mark);
    this.#options.changed();
  }

  /** Another history starts with the next feed. */
  restart(): void {
    this.#ledger.restart();
  }

  /** A listener went down by itself, or is back. */
  listener(engine: EngineName, id: string, state: Applied): void {
    const slot = this.#slots.get(id);
    if (!slot || slot.placed?.engine !== engine) return;
    if (state.ok) return this.#poke(slot);
    slot.failure = state.reason;
    this.#options.log.warn('a rule went down', { rule: id, engine, reason: state.reason });
    this.#retryLater(slot);
    this.#options.changed();
  }

  *failures(): Generator<{ readonly id: string; readonly reason: string }> {
    for (const { id, failure } of this.#slots.values()) if (failure !== '') yield { id, reason: failure };
  }

  /** Rules that are served, with names of origins that have no address so far. */
  *unresolved(): Generator<{ readonly id: string; readonly names: readonly string[] }> {
    for (const { id, placed, unresolved: names } of this.#slots.values())
      if (placed && names.length > 0) yield { id, names };
  }

  placements(): ReadonlyMap<string, Placed> {
    const placements = new Map<string, Placed>();
    for (const { id, placed } of this.#slots.values()) if (placed) placements.set(id, placed);
    return placements;
  }

  /** Rules that are somewhere else than when this was last asked; undefined: nowhere any more. */
  takeMoved(): ReadonlyMap<string, Placed | undefined> {
    const moved = new Map([...this.#moved].map((id) => [id, this.#slots.get(id)?.placed]));
    this.#moved = new Set();
    return moved;
  }

  /** No engine has it yet, or one that rewrites packets. */
  isRouted(id: string): boolean {
    const placed = this.#slots.get(id)?.placed;
    return !placed || this.#translates(placed);
  }

  /** Their entry addresses are back: those that could not be bound need not wait for their turn. */
  retry(rules: ReadonlySet<string>): void {
    this.#pokeAll(rules);
  }

  /** The process before this one serves no more: rules that waited for that go where they belong. */
  begin(): void {
    for (const slot of this.#slots.values()) {
      const choice = slot.want && this.#choose(slot.want);
      if (choice && 'engine' in choice && choice.engine !== slot.placed?.engine) this.#poke(slot);
    }
  }

  /** The machine has other addresses. */
  localChanged(): void {
    this.#pokeAll(this.#loops.localChanged());
  }

  /** No step starts any more; engines are left as they are. */
  stop(): void {
    this.#stopped = true;
    for (const slot of this.#slots.values()) slot.retry?.cancel();
  }

  /** An engine that outlives the edge (kernel) may still do what an earlier run wanted. */
  async #prune(rules: ReadonlyMap<string, PlannedRule>, mark: Mark): Promise<void> {
    const { running } = this.#options.engines;
    const keep = new Map([...running.keys()].map((name) => [name, new Set<string>()]));
    for (const rule of rules.values()) {
      const choice = this.#choose(rule);
      if ('engine' in choice) keep.get(choice.engine)?.add(rule.id);
    }
    for (const { id, placed } of this.#slots.values()) if (placed) keep.get(placed.engine)?.add(id);
    for (const [name, engine] of running)
      await engine.prune(keep.get(name) ?? new Set()).catch((error: unknown) => {
        this.#options.log.error('an engine could not be pruned', { engine: name, reason: (error as Error).message });
      });
    this.#ledger.settle(mark);
    this.#options.changed();
  }

  async #await(beside: Promise<void>, mark: Mark): Promise<void> {
    await beside;
    this.#ledger.settle(mark);
    this.#options.changed();
  }

  #want(id: string, rule: PlannedRule | undefined, mark: Mark, first?: Promise<void>): void {
    let slot = this.#slots.get(id);
    if (!slot) {
      if (!rule) return this.#options.settled?.(id);
      slot = blank(id);
      this.#slots.set(id, slot);
    }
    slot.want = rule;
    slot.first = first;
    if (!slot.late) slot.marks.push(this.#ledger.add(mark));
    this.#options.names.use(id, rule ? originNames(rule.origins) : []);
    this.#poke(slot);
  }

  #poke(slot: Slot | undefined): void {
    if (!slot || this.#stopped) return;
    slot.dirty = true;
    if (!slot.working) void this.#work(slot);
  }

  #pokeAll(rules: Iterable<string>): void {
    for (const rule of rules) this.#poke(this.#slots.get(rule));
  }

  async #work(slot: Slot): Promise<void> {
    slot.working = true;
    while (slot.dirty && !this.#stopped) {
      slot.dirty = false;
      slot.retry?.cancel();
      slot.held.push(...slot.marks.splice(0));
      const outcome = await this.#tryQuickly(slot);
      this.#settle(slot, outcome);
      if (!outcome.again && !slot.dirty && !this.#stopped) this.#options.settled?.(slot.id);
    }
    slot.working = false;
    if (!slot.want && !slot.placed && !slot.dirty) this.#slots.delete(slot.id);
  }

  #settle(slot: Slot, outcome: Outcome): void {
    if (slot.failure !== outcome.failure && outcome.failure !== '')
      this.#options.log.warn('a rule cannot be applied', { rule: slot.id, reason: outcome.failure });
    slot.failure = outcome.failure;
    for (const mark of slot.held.splice(0)) this.#ledger.settle(mark);
    if (outcome.again && !slot.dirty) this.#retryLater(slot);
    else if (!outcome.again) slot.backoff = undefined;
    this.#options.changed();
  }

  #retryLater(slot: Slot): void {
    slot.retry?.cancel();
    slot.backoff ??= createBackoff(RETRY_MS.first, RETRY_MS.max, this.#options.rng);
    slot.retry = this.#options.clock.after(slot.backoff.next(), () => this.#poke(slot));
  }

  async #tryQuickly(slot: Slot): Promise<Outcome> {
    let outcome = await this.#step(slot);
    for (const ms of QUICK_MS) {
      if (!outcome.again || slot.dirty || this.#stopped) break;
      await this.#options.clock.sleep(ms);
      outcome = await this.#step(slot);
    }
    return outcome;
  }

  async #step(slot: Slot): Promise<Outcome> {
    const { want: rule, first } = slot;
    const { egress } = this.#options;
    // order: limits are in force before the engine lets somebody in; what is wanted may be another thing by then.
    if (first) await first;
    if (this.#stopped) return DONE;
    if (slot.want !== rule) return this.#step(slot);
    const choice = rule && this.#choose(rule);
    if (!choice || 'failure' in choice) {
      const left = await this.#leave(slot);
      this.#loops.uses(slot.id, undefined);
      return left.ok ? { failure: choice?.failure ?? '', again: false } : { failure: left.reason, again: true };
    }
    await this.#options.names.settled(slot.id, NAME_MS);
    const { origins, ...rest } = rule;
    const { targets, missing } = targetsOf(origins, this.#options.names);
    // No failure, and not tried again from here: the rule is served, and the first address of its name brings its origin.
    slot.unresolved = missing;
    const why = this.#whyHeld({ ...rest, targets }, choice);
    if (why !== undefined) {
      await this.#leave(slot);
      return { failure: why, again: true };
    }
    // order: first told, then judged, so that whatever is served meanwhile has this rule judged again.
    this.#loops.uses(slot.id, { ...rest, targets });
    const isWhole = this.#translates(choice);
    const judged = judgeTargets({ ...rest, targets }, egress, this.#loops, isWhole);
    const applied = await this.#move(slot, choice, { ...rest, targets: judged.targets }, judged.notes);
    if (!applied.ok) {
      if (this.#translates(choice)) this.#options.tables?.drop(TABLE_NAME, slot.id);
      return { failure: applied.reason, again: true };
    }
    // A relay says why it does not dial; a table in the kernel can only refuse.
    if (isWhole && judged.notes.length > 0 && judged.targets.every(({ weight }) => weight === 0))
      return { failure: judged.notes.join('; '), again: false };
    return DONE;
  }

  /** order: the new engine first, so that no moment is without a listener; where it can't bind beside the old, after. */
  async #move(slot: Slot, choice: Placed, listener: Listener, notes: readonly string[]): Promise<Applied> {
    const from = slot.placed?.engine;
    const isMove = from !== undefined && from !== choice.engine;
    const beside = isMove ? slot.served : undefined;
    const apply = (engine: Engine): Promise<Applied> => engine.apply(listener, beside);
    if (from === undefined) this.#place(slot, choice);
    let applied = await this.#call(slot, choice.engine, apply);
    if (isMove && slot.placed) {
      slot.changes = whatChanges(slot.placed, this.#translates(slot.placed), this.#translates(choice));
      if (applied.ok && this.#translates(choice)) await this.#options.clock.sleep(HANDSHAKE_MS);
      const left = await this.#leave(slot);
      if (!left.ok) return left;
      this.#place(slot, choice);
      if (!applied.ok) applied = await this.#call(slot, choice.engine, apply);
    }
    const told = applied.ok && applied.note !== undefined ? [applied.note] : [];
    this.#place(slot, withNotes(choice, [...told, ...notes, ...slot.changes]));
    this.#pokeAll(this.#loops.serves(slot.id, applied.ok ? listener : undefined));
    if (applied.ok) slot.served = listener;
    return applied;
  }

  async #leave(slot: Slot): Promise<Applied> {
    if (!slot.placed) return { ok: true };
    const left = await this.#call(slot, slot.placed.engine, async (engine) => {
      await engine.remove(slot.id);
      return { ok: true };
    });
    if (left.ok) {
      if (this.#translates(slot.placed)) this.#options.tables?.drop(TABLE_NAME, slot.id);
      this.#place(slot, undefined);
      this.#pokeAll(this.#loops.serves(slot.id, undefined));
    }
    return left;
  }

  /** Why the kernel would have the rule's traffic whatever its engine does. */
  #whyHeld(listener: Listener, choice: Placed): string | undefined {
    const { tables } = this.#options;
    if (!this.#translates(choice)) return tables?.inTheWay(listener);
    // order: before it is there. A process that dies in between is taken to have left it.
    tables?.note(TABLE_NAME, listener);
    return undefined;
  }

  #place(slot: Slot, placed: Placed | undefined): void {
    if (slot.placed?.engine === placed?.engine && slot.placed?.why === placed?.why) return;
    slot.placed = placed;
    this.#moved.add(slot.id);
  }

  async #call(slot: Slot, name: EngineName, run: (engine: Engine) => Promise<Applied>): Promise<Applied> {
    const engine = this.#options.engines.running.get(name);
    if (!engine) return { ok: false, reason: `the ${name} engine is gone` };
    const leave = await this.#gate.enter();
    const late = this.#options.clock.after(LATE_MS, () => {
      leave();
      slot.late = true;
      slot.held.push(...slot.marks.splice(0));
      this.#settle(slot, LATE);
    });
    try {
      return await run(engine);
    } catch (error) {
      return { ok: false, reason: `the ${name} engine failed: ${(error as Error).message}` };
    } finally {
      late.cancel();
      leave();
      slot.late = false;
    }
  }

  #choose(rule: PlannedRule): Choice {
    const { engines, setting, comesWithSockets } = this.#options;
    const choice = chooseEngine(rule, setting, engines.capabilities);
    if ('failure' in choice || !this.#translates(choice) || !comesWithSockets?.(rule)) return choice;
    const relays = new Map([...engines.capabilities].filter(([, { translates }]) => !translates));
    const relay = chooseEngine(rule, 'auto', relays);
    return 'engine' in relay ? { ...relay, why: `${WAITS}, then ${choice.engine}` } : choice;
  }

  #translates({ engine }: Placed): boolean {
    return this.#options.engines.capabilities.get(engine)?.translates === true;
  }
}
