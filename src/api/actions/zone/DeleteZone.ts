import { deletionFault } from '../../../domain/zone/change.ts';
import { string } from '../../../shape/shape.ts';
import { type Key, keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { deleteBalancer } from '../../handling/load-balancers.ts';
import { zoneOf } from '../../handling/lookups.ts';
import { deleteGroup } from '../../handling/origin-groups.ts';
import { releaseName } from '../../handling/zones.ts';

export const DeleteZone = action({
  summary: 'Delete a disabled zone that has no L4 proxies, with its origin groups, load balancers and address lists.',
  access: 'write',
  touches: 'zone',
  request: { ZoneId: string('Zone ID.') },
  response: {},
  errors: ['OperationDenied.DeleteZonePreCheckFailed', 'OperationDenied.DisableZoneNotCompleted', 'ResourceNotFound'],
  example: { title: 'Delete a zone', request: { ZoneId: 'zone-3kq782jghthh' }, response: {} },
  handle(tx, { ZoneId }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    // The count needs no guard: a call that adds an instance reads the zone, which is gone then.
    tx.must(deletionFault(zone, tx.count(keys.proxies(zone.id))));
    releaseName(tx, zone);
    for (const { value } of tx.list(keys.loadBalancers(zone.id))) deleteBalancer(tx, value);
    for (const { value } of tx.list(keys.originGroups(zone.id))) deleteGroup(tx, value);
    const beside = [keys.addressLists(zone.id), keys.addressListParts(zone.id), keys.originStates(zone.id)];
    for (const prefix of beside) for (const { key } of tx.heads<unknown>(prefix)) tx.delete(key as Key<unknown>);
    tx.delete(keys.zone(zone.id));
    return {};
  },
});
