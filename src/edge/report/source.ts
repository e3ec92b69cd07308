/**
 * Everything the reporter asks the edge for: acks, where rules are, counters, the health of origins. It joins what each part says
 * of itself and decides nothing. The agent makes one.
 */
import type { Beat } from '../../domain/fact/ack.ts';
import type { EdgeEngines } from '../engines.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Planner } from '../../plan/planner.ts';
import type { EntryWatch } from '../entry-watch.ts';
import type { Guard } from '../guard/guard.ts';
import type { OriginWatch } from '../health/origin-watch.ts';
import type { LastGood } from '../last-good/last-good.ts';
import type { Reconciler } from '../reconcile/reconcile.ts';
import type { EdgePorts } from '../source-ports.ts';
import type { Tables } from '../tables/tables.ts';
import { ackOf } from './ack.ts';
import { Meter } from './meter.ts';
import type { Records } from './records.ts';
import type { ReporterSource } from './reporter.ts';

interface SourceParts {
  readonly identity: Beat;
  readonly lastGood: LastGood;
  readonly planner: Planner;
  readonly guard: Guard;
  readonly reconciler: Reconciler;
  readonly engines: EdgeEngines;
  readonly entries: EntryWatch;
  readonly tables: Tables;
  readonly ports: EdgePorts;
  readonly records: Records;
  readonly watch: OriginWatch;
  readonly clock: Clock;
  /** Of the process that the edge is in. */
  readonly alarms: () => readonly string[];
}

export function reportSource(parts: SourceParts): ReporterSource {
  const { lastGood, planner, guard, reconciler, entries, tables, records, ports, watch, clock } = parts;
  const rules = () => planner.plan.rules;
  const meter = new Meter({ ...parts, rules, records: () => lastGood.replica.records });
  const alarms = (): string[] => [
    ...[lastGood, records, guard, tables, entries, watch].flatMap((part) => part.alarms),
    ...ports.alarms(clock.monotonic()),
    ...parts.alarms(),
  ];
  return {
    ack: () => ackOf({ ...parts, plan: planner.plan, alarms: alarms() }),
    placements: () => reconciler.placements.all(),
    takeMoved: () => reconciler.placements.takeMoved(),
    counters: () => meter.read(),
    health: {
      checks: watch.checks,
      origins: watch.facts,
      failOpen: () => watch.failOpen(),
      times: () => watch.times(),
    },
  };
}
