/**
 * From a step of the world to the parts that act on it: the disk, the plan, and what differs in the plan to the pools of origins,
 * the source ports, the entry addresses, the guard and the reconciler, in this order. It keeps nothing. The agent makes one and
 * feeds it what the disk has; then the link does.
 */
import type { Step } from '../link/replica.ts';
import type { PlanDelta, Planner } from '../plan/planner.ts';
import type { EntryWatch } from './entry-watch.ts';
import type { Guard } from './guard/guard.ts';
import type { LastGood } from './last-good/last-good.ts';
import type { Pools } from './origins/pools.ts';
import type { Reconciler } from './reconcile/reconcile.ts';
import type { EdgePorts } from './source-ports.ts';

interface PlanFeedParts {
  readonly lastGood: LastGood;
  readonly planner: Planner;
  readonly origins: { readonly pools: Pick<Pools, 'take'> };
  readonly ports: EdgePorts;
  readonly entries: EntryWatch;
  readonly guard: Guard;
  readonly reconciler: Reconciler;
}

export class PlanFeed {
  readonly #parts: PlanFeedParts;

  constructor(parts: PlanFeedParts) {
    this.#parts = parts;
  }

  /** The replica has taken this step. */
  take(step: Step): void {
    const { lastGood, reconciler } = this.#parts;
    lastGood.note(step);
    if (step.kind === 'changed')
      this.#change(
        step.changes.map(({ key }) => key),
        step.revision,
      );
    else if (step.kind === 'replaced') {
      if (step.other) reconciler.restart();
      this.all();
    }
  }

  /** All of the world is new. `waitForLimits`: no rule is served before its limits are in force. */
  all({ waitForLimits = true } = {}): void {
    const { lastGood, planner, guard, reconciler } = this.#parts;
    const { records, revision } = lastGood.replica;
    const delta = this.#prepare(planner.reset(records.keys()));
    const waits = (rule: string): boolean => waitForLimits && guard.isLimited(rule);
    reconciler.feed(delta, revision, { all: planner.plan.rules, limits: guard.update(), waits });
  }

  #change(keys: readonly string[], revision: number): void {
    const { planner, guard, reconciler } = this.#parts;
    const delta = this.#prepare(planner.change(keys));
    const limits = guard.update([...delta.put.map(({ id }) => id), ...delta.drop], keys);
    reconciler.feed(delta, revision, { limits, waits: (rule) => guard.isLimited(rule) });
  }

  #prepare(delta: PlanDelta): PlanDelta {
    this.#parts.origins.pools.take(delta.pools);
    this.#parts.ports.follow(delta);
    this.#parts.entries.meet(delta.put);
    return delta;
  }
}
