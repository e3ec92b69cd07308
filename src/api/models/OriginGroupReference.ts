/** The cloud's OriginGroupReference: who uses an origin group or a load balancer. */
import type { Zone } from '../../domain/zone/zone.ts';
import { type Infer, list, object, oneOf, string } from '../../shape/shape.ts';

const REFERENCE = object(
  {
    // wire: an L4 proxy is an application-proxy here, as in the older API.
    InstanceType: oneOf(['load-balancer', 'application-proxy'], 'What uses it; application-proxy is an L4 proxy.'),
    InstanceId: string('ID of the user.'),
    InstanceName: string('Name of the user.'),
    ZoneId: string('Zone ID.'),
    ZoneName: string('Domain of the zone.'),
    AliasZoneName: string('Alias of the zone.'),
  },
  'A user.',
);

export const REFERENCES = list(REFERENCE, 'Who uses it.');

/** Who uses it, without its zone. */
export interface Referrer {
  readonly type: Infer<typeof REFERENCE.fields>['InstanceType'];
  readonly id: string;
  readonly name: string;
}

export function showReference({ type, id, name }: Referrer, zone: Zone): Infer<typeof REFERENCE.fields> {
  return {
    InstanceType: type,
    InstanceId: id,
    InstanceName: name,
    ZoneId: zone.id,
    ZoneName: zone.name,
    AliasZoneName: zone.alias,
  };
}
