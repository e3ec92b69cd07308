import { Fault } from '../../../faults/fault.ts';
import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { planToBind } from '../../handling/zones.ts';

export const BindZoneToPlan = action({
  summary: 'Bind a zone that has no plan to one, which activates it.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    PlanId: string('Plan ID.'),
  },
  response: {},
  errors: [
    'InvalidParameter.PlanNotFound',
    'InvalidParameter.ZoneHasBeenBound',
    'InvalidParameter.ZoneNotFound',
    'LimitExceeded',
    'OperationDenied',
  ],
  example: {
    title: 'Activate a zone',
    request: { ZoneId: 'zone-3kq782jghthh', PlanId: 'edgeone-enterprise01' },
    response: {},
  },
  handle(tx, { ZoneId, PlanId }) {
    const zone = zoneOf(tx, ZoneId);
    // wire: this action has codes of its own for ResourceNotFound and LimitExceeded.ZoneBindPlan.
    if (zone instanceof Fault) throw tx.refuse('InvalidParameter.ZoneNotFound', zone.detail);
    if (zone.planId !== undefined)
      throw tx.refuse('InvalidParameter.ZoneHasBeenBound', `Zone ${zone.id} is bound to ${zone.planId}.`);
    const { id: planId } = tx.must(planToBind(tx, PlanId, 'LimitExceeded'));
    tx.put(keys.zone(zone.id), { ...zone, planId, modifiedAt: tx.now });
    return {};
  },
});
