import { addressesOf } from '../../../domain/address-pool/entries.ts';
import { deletionFault } from '../../../domain/l4-proxy/change.ts';
import type { BanRecord } from '../../../domain/limit/networks.ts';
import { proxyStatus } from '../../../domain/status.ts';
import { string } from '../../../shape/shape.ts';
import { type Key, keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { release } from '../../handling/entry-addresses.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';
import { keepProxyUses } from '../../handling/uses.ts';

export const DeleteL4Proxy = action({
  summary: 'Delete a Layer 4 proxy instance that is off, with its rules.',
  access: 'write',
  touches: 'zone',
  request: { ZoneId: string('Zone ID.'), ProxyId: string('L4 proxy instance ID.') },
  response: {},
  errors: ['FailedOperation', 'ResourceNotFound', 'UnauthorizedOperation.CamUnauthorized'],
  example: {
    title: 'Delete an instance',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g' },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    tx.must(deletionFault(proxy, proxyStatus(proxy, zone, tx.around.facts.acks)));
    keepProxyUses(tx, proxy, []);
    release(tx, proxy, addressesOf(proxy.entries));
    for (const { key } of tx.list(keys.bans(proxy.id))) tx.delete(key as Key<BanRecord>);
    tx.delete(keys.proxyPlace(proxy.id));
    tx.delete(keys.proxy(zone.id, proxy.name));
    return {};
  },
});
