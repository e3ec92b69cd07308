import { isDeepStrictEqual } from 'node:util';
import { badNetwork, MOST_PARTS, NETWORKS_PER_PART, networkText, type Side } from '../../../domain/limit/networks.ts';
import { list, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { zoneOf } from '../../handling/lookups.ts';

export const EdgeFourPutAddressList = action({
  summary: 'Put a list of networks that limits of the zone allow or deny, or delete it.',
  access: 'write',
  touches: 'zone',
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
    Put: optional(
      string('Names this put of a list of several parts, the same in all of them and in no other put.', {
        pattern: /^[\w.-]{1,64}$/,
      }),
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
  handle(tx, { ZoneId, Name, Networks, Put, Part = 0, Parts = 1 }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    const bad = badNetwork(Networks);
    if (bad !== undefined)
      throw tx.refuse(
        'InvalidParameter.ParameterError',
        `Networks: ${bad.slice(0, 100)} is neither an address nor a CIDR.`,
      );
    if (Part >= Parts)
      throw tx.refuse('InvalidParameter.ParameterError', `Part ${Part} is not one of ${Parts}; parts count from 0.`);
    if (Put === undefined && Parts > 1)
      throw tx.refuse('InvalidParameter.ParameterError', 'Put is needed where a list comes in several parts.');
    const put = Put && `${Put}/${Parts}`;
    const networks = [...new Set(Networks.map(networkText))];
    const list = tx.get(keys.addressList(zone.id, Name));
    const side = other(list?.side ?? 'b');
    const partOf = (side: Side, part: number) => keys.addressListPart(zone.id, Name, side, part);
    /** order: a get before each delete, of missing keys too, so the commit fails where another call adds a part meanwhile. */
    const clear = (side: Side, from: number): void => {
      for (let part = from; tx.get(partOf(side, part)); part++) tx.delete(partOf(side, part));
    };
    if (list && put && list.put === put) {
      const held = tx.get(partOf(list.side, Part))?.networks;
      if (isDeepStrictEqual(held, networks)) return {};
      throw tx.refuse('InvalidParameter.ParameterError', `Put ${Put} has ended, with other networks; give it another.`);
    }
    // All parts on a side are of one put: the first part of another one removes them.
    if (Part > 0 && tx.get(partOf(side, Part - 1))?.put !== put)
      throw tx.refuse(
        'InvalidParameter.ParameterError',
        `Part ${Part - 1} of put ${Put} is not there: it has to come first, or another put has overtaken this one.`,
      );
    if (Part === 0 && (put === undefined || tx.get(partOf(side, 0))?.put !== put)) clear(side, 0);
    if (Parts === 1 && networks.length === 0) {
      if (list) tx.delete(keys.addressList(zone.id, Name));
      clear(other(side), 0);
      return {};
    }
    tx.put(partOf(side, Part), { networks, ...(put && { put }) });
    if (Part < Parts - 1) return {};
    tx.put(keys.addressList(zone.id, Name), { side, parts: Parts, ...(put && { put }) });
    clear(other(side), 0);
    return {};
  },
});

const other = (side: Side): Side => (side === 'a' ? 'b' : 'a');
