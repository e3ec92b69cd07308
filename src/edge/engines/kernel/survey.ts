/**
 * The engine's regular look at what lives and what has ended: counts connections per rule, ends those whose drain is over,
 * writes the minute's records, and notices when ends were missed. Called by the engine on its timers.
 */
import type { EngineEvents } from '../../engine.ts';
import type { Conntrack } from './conntrack.ts';
import { byRule, type DrainDeps, endDue, judge } from './drains.ts';
import type { Farewell } from './farewell.ts';
import type { Flow } from './flows.ts';
import { indexOf } from './marks.ts';
import { isOver, type Recorder } from './recorder.ts';
import type { Registry } from './registry.ts';

export interface SurveyDeps {
  readonly conntrack: Conntrack;
  readonly farewell: Farewell;
  readonly registry: Registry;
  readonly recorder: Recorder;
  readonly drains: DrainDeps;
  readonly log: EngineEvents['log'];
}

export interface Survey {
  /** Looks through conntrack. */
  look(): void;
  /** Takes the ends that wait. */
  listen(): void;
  /** How many connections are open, by a look of its own. */
  living(): number;
}

export function createSurvey({ conntrack, farewell, registry, recorder, drains, log }: SurveyDeps): Survey {
  function listen(): void {
    const silent: Flow[] = [];
    const { lost } = conntrack.ended((flow) => {
      if (recorder.ended(flow) === 'idle') silent.push(flow);
    });
    farewell.tell(silent);
    if (lost) log('warn', 'too many connections ended at once; the records of some are lost');
  }

  function look(): void {
    const flows = conntrack.flows();
    const groups = byRule(flows);
    for (const rule of registry.rules.values()) {
      const own = groups.get(rule.index) ?? [];
      rule.flows = own.length;
      rule.counted.active = own.reduce((sum, flow) => sum + (isOver(flow) ? 0 : 1), 0);
      // One that found its way while its rule changed is in nobody's books yet; of a rule that is down, none may stay.
      if (rule.listener ? rule.mustJudge || !rule.isUp : !rule.isUp) judge(rule, own, drains);
      else endDue(rule, own, drains);
      rule.mustJudge &&= !rule.listener;
    }
    // Of a rule that went while they came; or of an engine that died before it could cut them.
    const orphans = flows.filter((flow) => !registry.at(indexOf(flow.mark)) && !isOver(flow));
    if (orphans.length > 0) drains.end(orphans, 'drained');
    for (const flow of flows) recorder.alive(flow);
    recorder.sweep();
  }

  return {
    look,
    listen,
    living: () => conntrack.flows().filter((flow) => !isOver(flow)).length,
  };
}
