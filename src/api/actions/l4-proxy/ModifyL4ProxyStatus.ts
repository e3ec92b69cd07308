import { switchProxy } from '../../../domain/l4-proxy/change.ts';
import { oneOf, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { renewEntries } from '../../handling/entry-addresses.ts';
import { openZoneOf, proxyOf, readyZoneOf } from '../../handling/lookups.ts';

export const ModifyL4ProxyStatus = action({
  summary: 'Switch a Layer 4 proxy instance on or off.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    Status: oneOf(['online', 'offline'], 'What it is to be. What it is already is no error.'),
  },
  response: {},
  errors: [
    'InternalError.ConfigLocked',
    'InternalError.ProxyServer',
    'OperationDenied',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.L4LackOfResources',
    'OperationDenied.L4ProxyInBannedStatus',
    'ResourceNotFound',
  ],
  example: {
    title: 'Switch an instance off',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g', Status: 'offline' },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, Status }) {
    const zone = tx.must(Status === 'online' ? readyZoneOf(tx, ZoneId) : openZoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const next = tx.must(switchProxy(proxy, Status, tx.now));
    if (next === proxy) return {};
    // An instance that is switched on gets addresses at new sites, and new ones for those that pools no longer have.
    const entries = Status === 'online' ? tx.must(renewEntries(tx, next, 'skip')) : next.entries;
    tx.put(keys.proxy(zone.id, proxy.name), { ...next, entries });
    return {};
  },
});
