/** Whether one rule makes sense by itself: ports, mode and protocol, session persistence, origins. Pure. */
import { type Fault, refuse } from '../../faults/fault.ts';
import type { L4Rule } from './l4-rule.ts';
import { MODES, modeServes } from './modes.ts';
import { originFault, type OriginWorld } from './origins.ts';
import { portFault } from './ports.ts';

/** Seconds; spec section 17. */
const SESSION_SECONDS = { min: 30, max: 3600 } as const;

/** The fields of a rule that a caller writes. */
export type RuleDraft = Omit<L4Rule, 'id' | 'want' | 'changed' | 'options'>;

export function ruleFault(rule: RuleDraft, world: OriginWorld, where: string) {
  return (
    portFault(rule, where) ?? modeFault(rule, where) ?? sessionFault(rule, where) ?? originFault(rule, world, where)
  );
}

function modeFault({ mode, protocol }: RuleDraft, where: string): Fault<'InvalidParameter.ParameterError'> | undefined {
  if (mode === undefined || modeServes(mode, protocol)) return undefined;
  const detail = `${where}: ClientIPPassThroughMode ${mode} is for ${MODES[mode].join(' and ')}, the rule's Protocol is ${protocol}.`;
  return refuse('InvalidParameter.ParameterError', detail);
}

/**
 * wire: Terraform sends SessionPersistTime 0 for "not given", with any SessionPersist; and where persistence is not
 * on, any value is only kept to be shown again.
 */
function sessionFault({ sessionPersist, sessionPersistTime: seconds = 0 }: RuleDraft, where: string) {
  const inRange = seconds >= SESSION_SECONDS.min && seconds <= SESSION_SECONDS.max;
  if (sessionPersist !== 'on' || seconds === 0 || inRange) return undefined;
  const detail = `${where}: SessionPersistTime ${seconds} is not between ${SESSION_SECONDS.min} and ${SESSION_SECONDS.max} seconds.`;
  return refuse('InvalidParameterValue', detail);
}
