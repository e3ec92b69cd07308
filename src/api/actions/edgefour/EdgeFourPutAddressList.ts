import { badNetwork, MOST_NETWORKS, NETWORKS_PER_PART, networkText } from '../../../domain/limit/networks.ts';
import { list, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../lookups.ts';

const MOST_PARTS = MOST_NETWORKS / NETWORKS_PER_PART;

export const EdgeFourPutAddressList = action({
  summary: 'Put a list of networks that limits of the zone allow or deny, whole or part by part.',
  access: 'write',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    Name: string('Name of the list.', { pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ }),
    Networks: list(string('Address or CIDR.'), 'IPv4 and IPv6; they may repeat and overlap.', {
      max: NETWORKS_PER_PART,
    }),
    Part: optional(unsigned('Which part of a long list this is; default 0.', { max: MOST_PARTS - 1 })),
    Parts: optional(
      unsigned('How many parts the list has; default 1. Parts beyond are removed.', { min: 1, max: MOST_PARTS }),
    ),
  },
  response: {},
  errors: ['ResourceNotFound', 'InvalidParameter.ParameterError'],
  example: {
    title: 'Put a list of two networks',
    request: { ZoneId: 'zone-24wjy25v1cwi', Name: 'blocked', Networks: ['192.0.2.0/24', '2001:db8::/32'] },
    response: {},
  },
  handle(tx, { ZoneId, Name, Networks, Part = 0, Parts = 1 }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const bad = badNetwork(Networks);
    if (bad !== undefined)
      throw tx.refuse(
        'InvalidParameter.ParameterError',
        `Networks: ${bad.slice(0, 100)} is neither an address nor a CIDR.`,
      );
    if (Part >= Parts)
      throw tx.refuse('InvalidParameter.ParameterError', `Part ${Part} is not one of ${Parts}; parts count from 0.`);
    tx.put(keys.addressListPart(zone.id, Name, Part), { networks: [...new Set(Networks.map(networkText))] });
    for (let part = Parts; part < MOST_PARTS; part++) {
      const key = keys.addressListPart(zone.id, Name, part);
      if (tx.get(key)) tx.delete(key);
    }
    return {};
  },
});
