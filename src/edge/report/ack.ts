/**
 * What an ack says of this edge: the revision that is applied, what failed and why, what an operator should know. Asked
 * anew for each ack; it remembers nothing. Called by source.ts; the reporter sends it.
 */
import type { Beat, Failure } from '../../domain/fact/ack.ts';
import type { EngineSet } from '../../engines/hosting/engine-set.ts';
import type { AckReport } from '../../link/contract.ts';
import type { EdgePlan } from '../../plan/plan.ts';
import type { EntryWatch } from '../entry-watch.ts';
import type { LastGood } from '../last-good/last-good.ts';
import type { Reconciler } from '../reconcile/reconcile.ts';
import type { Tables } from '../tables/tables.ts';

type Ack = Omit<AckReport, 'placed' | 'fresh'>;

interface AckSources {
  readonly identity: Beat;
  readonly lastGood: Pick<LastGood, 'replica' | 'kept'>;
  readonly plan: EdgePlan;
  readonly entries: Pick<EntryWatch, 'failures' | 'lost'>;
  readonly reconciler: Pick<Reconciler, 'applied' | 'failures' | 'unresolved'>;
  readonly tables: Pick<Tables, 'leftovers'>;
  readonly engines: Pick<EngineSet, 'report'>;
  readonly alarms: readonly string[];
}

export function ackOf(sources: AckSources): Ack {
  const { identity, lastGood, entries, reconciler, engines, alarms } = sources;
  const { replica } = lastGood;
  return {
    ...identity,
    world: replica.refused || replica.world,
    // An edge that would come back to an older world has not really applied this one.
    applied: replica.refused === '' ? Math.min(reconciler.applied, lastGood.kept) : 0,
    failed: failures(sources),
    unresolved: [...reconciler.unresolved()],
    engines: engines.report,
    alarms,
    lost: [...entries.lost],
  };
}

/** order: later reasons win. A table left in the kernel is why, before any other; the system's own word comes before a lost address. */
function failures({ plan, entries, reconciler, tables }: AckSources): readonly Failure[] {
  const planned = [...plan.failures].map(([id, reason]) => ({ id, reason }));
  const all = [...planned, ...entries.failures(), ...reconciler.failures(), ...tables.leftovers()];
  return [...new Map(all.map((one) => [one.id, one])).values()];
}
