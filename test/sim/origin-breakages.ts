/**
 * One break of the code under test per invariant, each small enough to happen to a person who edits it. The test of the
 * simulation holds that each is noticed, and as what it is.
 */
import type { DialCounts, ProbeResult } from '../../src/domain/fact/health.ts';
import { type OriginChange, OriginHealth } from '../../src/edge/health/origin-health.ts';
import { ProbeSchedule } from '../../src/edge/health/schedule.ts';
import type { Listener, Target } from '../../src/engines/engine.ts';
import { TargetStates } from '../../src/engines/flow/target-states.ts';
import { RuleTargets } from '../../src/engines/node/targets.ts';
import type { Invariant } from './origin-invariants.ts';
import type { Parts } from './origin-simulation.ts';

const NEVER = new Promise<never>(() => {});

class ShutsNone extends TargetStates {
  override isShut(): boolean {
    return false;
  }
}

class TakesWithoutAMark extends TargetStates {
  override take(): boolean {
    return true;
  }
}

class SendsNowhere extends RuleTargets {
  readonly #table: TargetStates;

  constructor(rule: Listener, table: TargetStates, monotonic: () => number) {
    super(rule, table, monotonic);
    this.#table = table;
  }

  override choose(client: string, port: number, tried?: ReadonlySet<string>): Target | undefined {
    const target = super.choose(client, port, tried);
    return target && this.#table.isShut(target.number) ? undefined : target;
  }
}

class TrafficLiftsIll extends OriginHealth {
  override outcomes(target: number, counts: DialCounts, at: number): readonly OriginChange[] {
    if (!counts.ok || !this.view(target)?.check) return super.outcomes(target, counts, at);
    return Array.from({ length: 40 }, () => this.probe(target, { verdict: 'healthy', reason: '' }, at)).flat();
  }
}

class CountsGoodForBad extends OriginHealth {
  override outcomes(target: number, { ok = 0, ...failed }: DialCounts, at: number): readonly OriginChange[] {
    return super.outcomes(target, { ...failed, refused: ok + (failed.refused ?? 0) }, at);
  }
}

class Sleeps extends OriginHealth {
  override nextDue(): undefined {
    return undefined;
  }
}

class KeepsChangesToItself extends OriginHealth {
  override due(at: number): readonly OriginChange[] {
    super.due(at);
    return [];
  }
}

class NeverForgives extends OriginHealth {
  override probe(target: number, result: ProbeResult, at: number): readonly OriginChange[] {
    const isIll = this.view(target)?.verdict.verdict === 'unhealthy';
    return isIll ? [] : super.probe(target, result, at);
  }
}

class GoesOn extends ProbeSchedule {
  override close(): void {}
}

type Breakage = readonly [Invariant, Partial<Parts>];

export const BREAKAGES: Readonly<Record<string, Breakage>> = {
  'a picker that does not ask for states': ['no dead pick', { states: () => new ShutsNone() }],
  'a try that is not marked as taken': ['one try', { states: () => new TakesWithoutAMark() }],
  'tiers that are forgotten': [
    'lowest tier',
    {
      targets: (rule, table, monotonic) =>
        new RuleTargets({ ...rule, targets: rule.targets.map((target) => ({ ...target, tier: 0 })) }, table, monotonic),
    },
  ],
  'all down, and no connection sent': [
    'fail open',
    { targets: (rule, table, monotonic) => new SendsNowhere(rule, table, monotonic) },
  ],
  'traffic that lifts what a check finds ill': ['check decides', { health: () => new TrafficLiftsIll() }],
  'good dials counted as bad ones': ['needs a reason', { health: () => new CountsGoodForBad() }],
  'a timer that is never set': ['bounded hold', { health: () => new Sleeps() }],
  'probes whose time-out is lost': [
    'found in time',
    {
      schedule: (clock, run) =>
        new ProbeSchedule(clock, async (address, checker) => {
          const result = await run(address, checker);
          return result.reason === 'well' ? result : NEVER;
        }),
    },
  ],
  'changes that are noted and not told': ['obeyed as told', { health: () => new KeepsChangesToItself() }],
  'a kept file that is not read': ['kept over a restart', { restored: () => [] }],
  'a probe that is made twice': [
    'one probe',
    {
      schedule: (clock, run) =>
        new ProbeSchedule(clock, async (address, checker) => {
          void run(address, checker);
          return run(address, checker);
        }),
    },
  ],
  'a schedule that goes on beside the next one': ['one probe', { schedule: (clock, run) => new GoesOn(clock, run) }],
  'an origin that is ill for ever': ['comes back', { health: () => new NeverForgives() }],
};
