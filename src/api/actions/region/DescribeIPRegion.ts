import { networkSet } from '../../../lib/net/cidr.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import { list, object, oneOf, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';

const IP_REGION_INFO = object(
  {
    IP: string('IP address.'),
    IsEdgeOneIP: oneOf(['yes', 'no'], 'Whether it is an entry address of a site.'),
  },
  'An IP address.',
);

export const DescribeIPRegion = action({
  summary: 'Tell which IP addresses are entry addresses of the sites.',
  access: 'read',
  touches: 'account',
  request: { IPs: list(string('IPv4 or IPv6 address.'), 'IP addresses, at most 100.', { max: 100 }) },
  response: { IPRegionInfo: list(IP_REGION_INFO, 'The addresses, in the order they were given.') },
  errors: ['InvalidParameterValue'],
  example: {
    title: 'Look at two addresses',
    request: { IPs: ['127.44.0.1', '192.0.2.1'] },
    response: {
      IPRegionInfo: [
        { IP: '127.44.0.1', IsEdgeOneIP: 'yes' },
        { IP: '192.0.2.1', IsEdgeOneIP: 'no' },
      ],
    },
  },
  handle(tx, { IPs }) {
    const wrong = IPs.findIndex((ip) => parseAddress(ip) === undefined);
    if (wrong !== -1) throw tx.refuse('InvalidParameterValue', `IPs.${wrong} is not an IP address.`);
    const ours = networkSet(tx.list(keys.sites()).flatMap(({ value }) => value.pool));
    return { IPRegionInfo: IPs.map((ip) => ({ IP: ip, IsEdgeOneIP: ours(ip) ? ('yes' as const) : ('no' as const) })) };
  },
});
