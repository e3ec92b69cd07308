/**
 * The engine of a rule on this edge, as it is now: hosting/choose.ts says which one takes it, and where the process before
 * this one still serves the rule's sockets, a relay takes it first. Pure but for that question. Called by reconcile.ts.
 */
import { chooseEngine, type Choice, WAITS } from '../../engines/hosting/choose.ts';
import type { EngineSet } from '../../engines/hosting/engine-set.ts';
import type { EngineSetting } from '../../engines/registry.ts';
import type { PlannedRule } from '../../plan/plan.ts';

export interface ChoiceOptions {
  readonly engines: Pick<EngineSet, 'capabilities'>;
  readonly setting: EngineSetting;
  /**
   * It comes with sockets that the process before this one serves still. An engine that takes them over waits with them; one
   * that has none would begin too early, or lose the clients that wait in them. So the rule goes to a relay until `begin`.
   */
  readonly comesWithSockets?: (rule: PlannedRule) => boolean;
}

export function engineFor(rule: PlannedRule, { engines, setting, comesWithSockets }: ChoiceOptions): Choice {
  const { capabilities } = engines;
  const choice = chooseEngine(rule, setting, capabilities);
  if ('failure' in choice || !capabilities.get(choice.engine)?.translates || !comesWithSockets?.(rule)) return choice;
  const relays = new Map([...capabilities].filter(([, { translates }]) => !translates));
  const relay = chooseEngine(rule, 'auto', relays);
  return 'engine' in relay ? { ...relay, why: `${WAITS}, then ${choice.engine}` } : choice;
}
