import { badNetwork, networkText } from '../../../domain/limit/networks.ts';
import { optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { endingAfter, hasRoom, MOST_SECONDS } from '../../handling/ending.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';

/** limit: what is banned by the thousand belongs in an address list. */
const MOST_BANS = 10_000;

export const EdgeFourBanNetwork = action({
  summary: 'Ban an address or network from an instance, for a time or until it is lifted.',
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    Network: string('Address or CIDR.'),
    Seconds: optional(unsigned('For how long; not sent: until it is lifted.', { min: 1, max: MOST_SECONDS })),
  },
  response: {},
  errors: ['ResourceNotFound', 'InvalidParameter.ParameterError'],
  example: {
    title: 'Ban a network for ten minutes',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g', Network: '192.0.2.0/24', Seconds: 600 },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, Network, Seconds }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    if (badNetwork([Network]) !== undefined)
      throw tx.refuse(
        'InvalidParameter.ParameterError',
        `Network: ${Network.slice(0, 100)} is neither an address nor a CIDR.`,
      );
    const network = networkText(Network);
    const key = keys.ban(proxy.id, network);
    if (!hasRoom(tx, keys.bans(proxy.id), MOST_BANS, key))
      throw tx.refuse(
        'InvalidParameter.ParameterError',
        `${proxy.id} has ${MOST_BANS} bans; put them into an address list.`,
      );
    tx.put(key, { network, ...endingAfter(tx, Seconds) });
    return {};
  },
});
