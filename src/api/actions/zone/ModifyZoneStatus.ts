import { proxyStatus } from '../../../domain/status.ts';
import { pauseFault, switchZone } from '../../../domain/zone/change.ts';
import { boolean, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { proxiesOf } from '../../handling/zones.ts';

export const ModifyZoneStatus = action({
  summary: 'Disable a zone, which stops all of its L4 proxies, or enable it again.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    Paused: boolean('true disables the zone, false enables it.'),
  },
  response: {},
  errors: ['OperationDenied.L4ProxyInProgressStatus', 'OperationDenied.L4ProxyInStoppingStatus', 'ResourceNotFound'],
  example: {
    title: 'Disable a zone',
    request: { ZoneId: 'zone-3kq782jghthh', Paused: true },
    response: {},
  },
  async handle(tx, { ZoneId, Paused }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const switched = switchZone(zone, Paused, tx.now);
    if (switched === zone) return {};
    if (Paused) {
      for await (const proxy of proxiesOf(tx, zone.id)) {
        tx.must(pauseFault(proxy.id, proxyStatus(proxy, zone, tx.around.facts.acks)));
      }
    }
    tx.put(keys.zone(zone.id), switched);
    return {};
  },
});
