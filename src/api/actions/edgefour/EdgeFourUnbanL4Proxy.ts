import { banProxy } from '../../../domain/l4-proxy/change.ts';
import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';

export const EdgeFourUnbanL4Proxy = action({
  summary: 'Lift the ban of a Layer 4 proxy instance: it is again what its owner wants it to be.',
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: { ZoneId: string('Zone ID.'), ProxyId: string('L4 proxy instance ID.') },
  response: {},
  errors: ['ResourceNotFound'],
  example: {
    title: 'Lift a ban',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g' },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const next = banProxy(proxy, false, tx.now);
    if (next !== proxy) tx.put(keys.proxy(zone.id, proxy.name), next);
    return {};
  },
});
