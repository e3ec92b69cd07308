import { ZONE_PLAN_NAMES, ZONE_PLANS, zonesAllowed } from '../../../domain/zone/plan.ts';
import { integer, list, object, oneOf } from '../../../shape/shape.ts';
import { action } from '../../action.ts';

const PLAN_INFO = object(
  {
    Currency: oneOf(['CNY', 'USD'], 'Currency of the price.'),
    Flux: integer('Included traffic, bytes. 0: nothing is metered here.'),
    Frequency: oneOf(['y', 'm', 'h', 'M', 's'], 'How often it is paid: years, months, hours, minutes, seconds.'),
    PlanType: oneOf(ZONE_PLAN_NAMES, 'Kind of plan, for CreatePlanForZone.'),
    Price: integer('Price in cents: 0, nothing is sold here.'),
    Request: integer('Included requests. 0: nothing is metered here.'),
    SiteNumber: integer('How many zones can be bound to it. 0: as many as you like.'),
    Area: oneOf(['mainland', 'overseas', 'global'], 'Service area.'),
  },
  'A kind of plan.',
);

export const DescribeAvailablePlans = action({
  summary: 'List the kinds of plan that CreatePlanForZone makes.',
  access: 'read',
  touches: 'account',
  request: {},
  response: { PlanInfo: list(PLAN_INFO, 'The kinds of plan.') },
  errors: [],
  example: {
    title: 'List the kinds of plan (the first of them)',
    request: {},
    response: {
      PlanInfo: [
        {
          Currency: 'USD',
          Flux: 0,
          Frequency: 'm',
          PlanType: 'sta',
          Price: 0,
          Request: 0,
          SiteNumber: 1,
          Area: 'overseas',
        },
      ],
    },
  },
  handle() {
    return {
      PlanInfo: ZONE_PLAN_NAMES.map((name) => {
        const { type, area } = ZONE_PLANS[name];
        const zones = zonesAllowed(type);
        return {
          Currency: 'USD' as const,
          Flux: 0,
          Frequency: 'm' as const,
          PlanType: name,
          Price: 0,
          Request: 0,
          SiteNumber: Number.isFinite(zones) ? zones : 0,
          Area: area,
        };
      }),
    };
  },
});
