import { newPlan } from '../../../domain/zone/plan.ts';
import { integer, object, oneOf, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';

const MONTHS = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 24, 36]);

export const CreatePlan = action({
  summary: 'Create a prepaid plan for one zone. Nothing is paid. L4 proxies need an enterprise plan, which is there.',
  access: 'write',
  touches: 'account',
  request: {
    PlanType: oneOf(['personal', 'basic', 'standard', 'enterprise'], 'Plan type.', {
      fault: 'InvalidParameter.InvalidPlanType',
    }),
    AutoUseVoucher: optional(
      oneOf(['true', 'false'], 'Whether to pay with vouchers; ignored.', {
        fault: 'InvalidParameter.InvalidAutoUseVoucher',
      }),
    ),
    PrepaidPlanParam: optional(
      object(
        {
          Period: optional(integer('Months: 1 to 12, 24 or 36; default 1.')),
          RenewFlag: optional(
            oneOf(['on', 'off'], 'Whether it renews itself; default off.', {
              fault: 'InvalidParameter.InvalidRenewFlag',
            }),
          ),
        },
        'How long the plan lasts.',
      ),
    ),
  },
  response: {
    PlanId: string('Plan ID.'),
    DealName: string('Order number: empty, nothing is sold here.'),
  },
  errors: [
    'InvalidParameter.InvalidAutoUseVoucher',
    'InvalidParameter.InvalidPeriod',
    'InvalidParameter.InvalidPlanType',
    'InvalidParameter.InvalidRenewFlag',
    'OperationDenied.PleaseContactBusinessPersonnel',
  ],
  example: {
    title: 'Create a plan for three months',
    request: { PlanType: 'standard', PrepaidPlanParam: { Period: 3 } },
    response: { PlanId: 'edgeone-2unuvzjmmn2q', DealName: '' },
  },
  handle(tx, { PlanType, PrepaidPlanParam: { Period = 1, RenewFlag = 'off' } = {} }) {
    if (PlanType === 'enterprise')
      throw tx.refuse('OperationDenied.PleaseContactBusinessPersonnel', 'DescribePlans shows the one that is there.');
    if (!MONTHS.has(Period)) throw tx.refuse('InvalidParameter.InvalidPeriod', 'Period: 1 to 12, 24 or 36 months.');
    const kind = { type: `plan-${PlanType}`, area: 'global' } as const;
    const plan = newPlan(
      {
        id: tx.id('edgeone'),
        account: tx.caller.account,
        ...kind,
        ...(RenewFlag === 'off' && { months: Period }),
      },
      tx.now,
    );
    tx.put(keys.plan(plan.id), plan);
    return { PlanId: plan.id, DealName: '' };
  },
});
