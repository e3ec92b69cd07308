/**
 * Plans: what they hold, how long they last, and whether a zone can be bound to one. Nothing is sold here, so a plan
 * costs nothing and meters nothing; it only says what a zone may do. Pure. Source: spec section 6.4.
 */
import type { FaultCode } from '../../faults/catalogue.ts';
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Plan } from './zone.ts';

export const PLAN_STATUSES = ['normal', 'expiring-soon', 'expired', 'isolated', 'overdue-isolated'] as const;

/** The last day that a plan which renews itself can show. */
const NEVER = Date.UTC(2099, 11, 31);
const DAY = 86_400_000;
const SOON = 15 * DAY;

type Kind = Pick<Plan, 'type' | 'area'>;
const kind = (type: Plan['type'], area: Plan['area']): Kind => ({ type, area });

/** The plans that CreatePlanForZone can buy. Bot management changes nothing for L4. */
export const ZONE_PLANS = {
  sta: kind('plan-standard', 'overseas'),
  sta_with_bot: kind('plan-standard', 'overseas'),
  sta_cm: kind('plan-standard', 'mainland'),
  sta_cm_with_bot: kind('plan-standard', 'mainland'),
  sta_global: kind('plan-standard', 'global'),
  sta_global_with_bot: kind('plan-standard', 'global'),
  ent: kind('plan-enterprise', 'overseas'),
  ent_with_bot: kind('plan-enterprise', 'overseas'),
  ent_cm: kind('plan-enterprise', 'mainland'),
  ent_cm_with_bot: kind('plan-enterprise', 'mainland'),
  ent_global: kind('plan-enterprise', 'global'),
  ent_global_with_bot: kind('plan-enterprise', 'global'),
} as const satisfies Record<string, Kind>;
type ZonePlan = keyof typeof ZONE_PLANS;
export const ZONE_PLAN_NAMES = Object.keys(ZONE_PLANS) as ZonePlan[];

interface NewPlan extends Kind {
  readonly id: string;
  readonly account: string;
  /** Absent: renews itself for ever. */
  readonly months?: number;
}

export function newPlan({ months, ...plan }: NewPlan, now: number): Plan {
  return {
    ...plan,
    status: 'normal',
    autoRenewal: months === undefined,
    enabledAt: now,
    expiresAt: months === undefined ? NEVER : monthsLater(now, months),
  };
}

/** The same day of a later month, or its last day. */
function monthsLater(from: number, months: number): number {
  const date = new Date(from);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

/** The stored state is an operator's word; time alone makes a normal plan expire. */
export function planStatus(plan: Plan, now: number): Plan['status'] {
  if (plan.status !== 'normal') return plan.status;
  if (plan.expiresAt <= now) return 'expired';
  return plan.expiresAt <= now + SOON ? 'expiring-soon' : 'normal';
}

/** An enterprise plan takes any number of zones, every other one takes one. */
export function zonesAllowed(type: Plan['type']): number {
  return type === 'plan-enterprise' ? Infinity : 1;
}

export function isLive(plan: Plan, now: number): boolean {
  const status = planStatus(plan, now);
  return status === 'normal' || status === 'expiring-soon';
}

/** Why the plan can't take one more zone beside the `bound` ones; `full` is the code for one that has no room. */
export function bindFault<Full extends FaultCode>(
  plan: Plan,
  bound: number,
  now: number,
  full: Full,
): Fault<'OperationDenied' | Full> | undefined {
  if (!isLive(plan, now)) return refuse('OperationDenied', `Plan ${plan.id} is ${planStatus(plan, now)}.`);
  if (bound >= zonesAllowed(plan.type))
    return refuse(full, `Plan ${plan.id} (${plan.type}) holds ${bound} zone already.`);
  return undefined;
}

/** A plan for the whole world covers both of its parts; an empty area needs none. */
export function covers(plan: Plan, area: Plan['area'] | ''): boolean {
  return area === '' || plan.area === 'global' || plan.area === area;
}
