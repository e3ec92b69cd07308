import { newPlan, ZONE_PLAN_NAMES, ZONE_PLANS } from '../../../domain/zone/plan.ts';
import { list, oneOf, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';

export const CreatePlanForZone = action({
  summary: 'Create a plan and bind a zone that has none to it. Nothing is paid.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    PlanType: oneOf(ZONE_PLAN_NAMES, 'Kind of plan. L4 proxies need one that begins with ent.'),
  },
  response: {
    ResourceNames: list(string('Resource name.'), 'The plan that was made.'),
    DealNames: list(string('Order number.'), 'Orders: none, nothing is sold here.'),
  },
  errors: ['InvalidParameter.ZoneHasBeenBound', 'ResourceNotFound'],
  example: {
    title: 'Put a zone on a plan for the whole world',
    request: { ZoneId: 'zone-3kq782jghthh', PlanType: 'ent_global' },
    response: { ResourceNames: ['edgeone-2y041pblwaxe'], DealNames: [] },
  },
  handle(tx, { ZoneId, PlanType }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    if (zone.planId !== undefined)
      throw tx.refuse('InvalidParameter.ZoneHasBeenBound', `Zone ${zone.id} is bound to ${zone.planId}.`);
    const plan = newPlan({ id: tx.id('edgeone'), account: zone.account, ...ZONE_PLANS[PlanType] }, tx.now);
    tx.put(keys.plan(plan.id), plan);
    tx.put(keys.zone(zone.id), { ...zone, planId: plan.id, modifiedAt: tx.now });
    return { ResourceNames: [plan.id], DealNames: [] };
  },
});
