/**
 * Where each rule is: the engine that does something for it, what it does, and why there. A rule that needs another engine
 * moves without a moment in which nothing listens. What tables in the kernel hold in its way is a refusal. It chooses no
 * engine and tries nothing again. The reconciler owns one; the reporter reads it.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Applied, Engine, Listener } from '../../engines/engine.ts';
import { whatChanges } from '../../engines/hosting/choose.ts';
import type { EngineSet } from '../../engines/hosting/engine-set.ts';
import { KERNEL_TABLE } from '../../engines/table-owner.ts';
import type { EngineName } from '../../engines/registry.ts';
import type { Origins } from '../origins/origins.ts';
import type { Tables } from '../tables/tables.ts';
import { EngineCalls, type Lateness } from './engine-calls.ts';

export interface Placed {
  readonly engine: EngineName;
  readonly why: string;
}

interface Placement extends Placed {
  /** What the engine there has done last. */
  readonly served: Listener | undefined;
  /** What clients and origins notice since it came from another engine. */
  readonly changes: readonly string[];
}

export interface PlacementsOptions {
  readonly engines: Pick<EngineSet, 'running' | 'capabilities'>;
  readonly origins: Pick<Origins, 'listens'>;
  readonly clock: Clock;
  /** What tables in the kernel hold; absent: nothing. */
  readonly tables?: Pick<Tables, 'inTheWay' | 'marks'>;
}

/** How a rule gets its listener. */
interface Order {
  readonly engine: Placed;
  readonly listener: Listener;
  /** What there is to say of how it is served, beside why the engine has it. */
  readonly notes: readonly string[];
  readonly lateness: Lateness;
}

/** A client that has been answered by a socket and whose own answer is on its way still finds it. */
const HANDSHAKE_MS = 1_000;

export class Placements {
  readonly #options: PlacementsOptions;
  readonly #calls: EngineCalls;
  readonly #placed = new Map<string, Placement>();
  #moved = new Set<string>();

  constructor(options: PlacementsOptions) {
    this.#options = options;
    this.#calls = new EngineCalls(options.engines.running, options.clock);
  }

  get(rule: string): Placed | undefined {
    const placed = this.#placed.get(rule);
    return placed && { engine: placed.engine, why: placed.why };
  }

  all(): ReadonlyMap<string, Placed> {
    return new Map([...this.#placed].map(([rule, { engine, why }]) => [rule, { engine, why }]));
  }

  /** Rules that are somewhere else than when this was last asked; undefined: nowhere any more. */
  takeMoved(): ReadonlyMap<string, Placed | undefined> {
    const moved = new Map([...this.#moved].map((rule) => [rule, this.get(rule)]));
    this.#moved = new Set();
    return moved;
  }

  /** The engine rewrites packets. */
  translates({ engine }: Pick<Placed, 'engine'>): boolean {
    return this.#options.engines.capabilities.get(engine)?.translates === true;
  }

  /** The engine does for the rule what the listener says, and no other engine does anything for it. */
  async apply(order: Order): Promise<Applied> {
    const { engine, listener, lateness } = order;
    const { tables } = this.#options;
    const isInKernel = this.translates(engine);
    const obstacle = isInKernel ? undefined : tables?.inTheWay(listener);
    if (obstacle !== undefined) {
      await this.leave(listener.id, lateness);
      return { ok: false, reason: obstacle };
    }
    // order: noted before it is in the kernel, so that a process that dies in between is taken to have left it there.
    if (isInKernel) tables?.marks.note(KERNEL_TABLE, listener);
    const applied = await this.#move(order);
    if (!applied.ok && isInKernel) tables?.marks.drop(KERNEL_TABLE, listener.id);
    return applied;
  }

  /** No engine does anything for the rule. */
  async leave(rule: string, lateness: Lateness): Promise<Applied> {
    const placed = this.#placed.get(rule);
    if (!placed) return { ok: true };
    const remove = async (engine: Engine): Promise<Applied> => {
      await engine.remove(rule);
      return { ok: true };
    };
    const left = await this.#calls.call(placed.engine, remove, lateness);
    if (!left.ok) return left;
    if (this.translates(placed)) this.#options.tables?.marks.drop(KERNEL_TABLE, rule);
    this.#place(rule, undefined);
    this.#options.origins.listens(rule, undefined);
    return left;
  }

  /** order: the new engine first, so that no moment is without a listener; where it can't bind beside the old, after. */
  async #move({ engine: choice, listener, notes, lateness }: Order): Promise<Applied> {
    const { id } = listener;
    const from = this.#placed.get(id);
    const isMove = from !== undefined && from.engine !== choice.engine;
    const beside = isMove ? from.served : undefined;
    const apply = (engine: Engine): Promise<Applied> => engine.apply(listener, beside);
    let { served, changes = [] } = from ?? {};
    if (!from) this.#place(id, { ...choice, served, changes });
    let applied = await this.#calls.call(choice.engine, apply, lateness);
    if (isMove) {
      const isTranslated = this.translates(choice);
      changes = whatChanges(from, this.translates(from), isTranslated);
      if (applied.ok && isTranslated) await this.#options.clock.sleep(HANDSHAKE_MS);
      const left = await this.leave(id, lateness);
      if (!left.ok) return left;
      this.#place(id, { ...choice, served, changes });
      if (!applied.ok) applied = await this.#calls.call(choice.engine, apply, lateness);
    }
    const told = applied.ok && applied.note !== undefined ? [applied.note] : [];
    if (applied.ok) served = listener;
    const why = [choice.why, ...told, ...notes, ...changes].join('; ');
    this.#place(id, { engine: choice.engine, why, served, changes });
    this.#options.origins.listens(id, applied.ok ? listener : undefined);
    return applied;
  }

  #place(rule: string, placed: Placement | undefined): void {
    const before = this.#placed.get(rule);
    if (placed) this.#placed.set(rule, placed);
    else this.#placed.delete(rule);
    if (before?.engine !== placed?.engine || before?.why !== placed?.why) this.#moved.add(rule);
  }
}
