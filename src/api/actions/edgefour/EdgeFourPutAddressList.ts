import { badNetwork, MOST_PARTS, NETWORKS_PER_PART, networkText, type Side } from '../../../domain/limit/networks.ts';
import { list, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../lookups.ts';

export const EdgeFourPutAddressList = action({
  summary: 'Put a list of networks that limits of the zone allow or deny, or delete it.',
  access: 'write',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    Name: string('Name of the list.', { pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ }),
    Networks: list(
      string('Address or CIDR.'),
      'IPv4 and IPv6; they may repeat and overlap. None at all: the list is deleted.',
      {
        max: NETWORKS_PER_PART,
      },
    ),
    Part: optional(
      unsigned('Which part of a long list this is, in order from 0, the default.', { max: MOST_PARTS - 1 }),
    ),
    Parts: optional(
      unsigned('How many parts it has; default 1. The list is what it was until the last part has come.', {
        min: 1,
        max: MOST_PARTS,
      }),
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
    const list = tx.get(keys.addressList(zone.id, Name));
    const side = other(list?.side ?? 'b');
    const isThere = (part: number): boolean => tx.get(keys.addressListPart(zone.id, Name, side, part)) !== undefined;
    if (Part > 0 && !isThere(Part - 1))
      throw tx.refuse('InvalidParameter.ParameterError', `Part ${Part - 1} has to come before part ${Part}.`);
    const clear = (side: Side, from: number): void => {
      const key = (part: number) => keys.addressListPart(zone.id, Name, side, part);
      for (let part = from; tx.revisionOf(key(part)) > 0; part++) tx.delete(key(part));
    };
    // What is there of a put that did not get to its end does not count.
    clear(side, Part);
    if (Parts === 1 && Networks.length === 0) {
      if (list) tx.delete(keys.addressList(zone.id, Name));
      clear(other(side), 0);
      return {};
    }
    tx.put(keys.addressListPart(zone.id, Name, side, Part), { networks: [...new Set(Networks.map(networkText))] });
    if (Part < Parts - 1) return {};
    tx.put(keys.addressList(zone.id, Name), { side, parts: Parts });
    clear(other(side), 0);
    return {};
  },
});

const other = (side: Side): Side => (side === 'a' ? 'b' : 'a');
