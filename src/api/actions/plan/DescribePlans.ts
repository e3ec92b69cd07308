import { planStatus } from '../../../domain/zone/plan.ts';
import type { Plan } from '../../../domain/zone/zone.ts';
import { integer, list, oneOf, optional } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { filters, pageOf, readFilters } from '../../models/Filter.ts';
import { PLAN, showPlan } from '../../models/Plan.ts';
import { isSeen, plansOfCaller, zonesByPlan } from '../../handling/zones.ts';

const FILTERS = ['plan-type', 'plan-id', 'area', 'status'] as const;

export const DescribePlans = action({
  summary: 'List the plans of the account. An enterprise plan is there from the start.',
  access: 'read',
  touches: 'account',
  request: {
    Filters: filters(FILTERS),
    Order: optional(oneOf(['enable-time', 'expire-time'], 'What to sort by; default enable-time.')),
    Direction: optional(oneOf(['asc', 'desc'], 'Direction of sorting; default desc.')),
    Limit: optional(integer('How many to return; default 20, at most 200.', { min: 0, max: 200 })),
    Offset: optional(integer('How many to skip; default 0.', { min: 0 })),
  },
  response: {
    TotalCount: integer('How many plans match.'),
    Plans: list(PLAN, 'The plans.'),
  },
  errors: ['InvalidParameterValue'],
  example: {
    title: 'Look for a plan that does not exist',
    request: { Filters: [{ Name: 'plan-id', Values: ['edgeone-000000000000'] }] },
    response: { TotalCount: 0, Plans: [] },
  },
  handle(tx, { Filters, Order = 'enable-time', Direction = 'desc', ...page }) {
    const wanted = tx.must(readFilters(Filters, FILTERS));
    const matching = plansOfCaller(tx).filter((plan) =>
      [...wanted].every(([name, values]) => values.has(fieldsOf(plan, tx.now)[name])),
    );
    const by = (plan: Plan): number => (Order === 'enable-time' ? plan.enabledAt : plan.expiresAt);
    const sign = Direction === 'asc' ? 1 : -1;
    const sorted = matching.sort((a, b) => sign * (by(a) - by(b)) || (a.id < b.id ? -1 : 1));
    const { offset, limit } = pageOf(page);
    const bound = zonesByPlan(tx);
    return {
      TotalCount: matching.length,
      Plans: sorted.slice(offset, offset + limit).map((plan) => {
        const zones = bound.get(plan.id) ?? [];
        return showPlan(
          plan,
          zones.length,
          zones.filter((zone) => isSeen(tx, zone)),
          tx.now,
        );
      }),
    };
  },
});

function fieldsOf(plan: Plan, now: number): Record<(typeof FILTERS)[number], string> {
  return { 'plan-type': plan.type, 'plan-id': plan.id, area: plan.area, status: planStatus(plan, now) };
}
