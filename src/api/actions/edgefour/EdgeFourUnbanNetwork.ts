import { networkText } from '../../../domain/limit/networks.ts';
import { string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';

export const EdgeFourUnbanNetwork = action({
  summary: 'Lift the ban of an address or network.',
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    Network: string('As it was banned.'),
  },
  response: {},
  errors: ['ResourceNotFound'],
  example: {
    title: 'Lift a ban',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g', Network: '192.0.2.0/24' },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, Network }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const key = keys.ban(proxy.id, networkText(Network));
    if (!tx.get(key)) throw tx.refuse('ResourceNotFound', `${proxy.id} has no ban of ${Network.slice(0, 100)}.`);
    tx.delete(key);
    return {};
  },
});
