/** The cloud's Resource, by which a zone is billed. Here it is the zone's plan and nothing else; see Zone.ts. */
import { integer, list, nullable, object, oneOf, string } from '../../shape/shape.ts';

const SV = object(
  {
    Key: string('Pricing key.'),
    Value: string('Pricing value.'),
    Pack: nullable(string('Quota that the key stands for.')),
    InstanceId: nullable(string('L4 proxy instance that the key is for.')),
    ProtectionSpecs: nullable(string('DDoS protection that the key stands for.')),
  },
  'A pricing parameter.',
);

export const RESOURCE = object(
  {
    Id: string('Resource ID.'),
    PayMode: integer('0: paid afterwards.'),
    CreateTime: string('When it was created.', { format: 'time' }),
    EnableTime: string('When it began.', { format: 'time' }),
    ExpireTime: string('When it ends.', { format: 'time' }),
    Status: oneOf(['normal', 'isolated', 'destroyed'], 'Status.'),
    Sv: list(SV, 'Pricing parameters.'),
    AutoRenewFlag: integer('1: renews itself; 2: does not.'),
    PlanId: string('Plan ID.'),
    Area: string('Area.'),
    Group: nullable(oneOf(['plan', 'pay-as-you-go', 'value-added'], 'Kind of the resource.')),
    ZoneNumber: nullable(integer('How many zones are bound to it.')),
    Type: string('Mark of the resource.'),
  },
  'A billed resource.',
);
