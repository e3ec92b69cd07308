/**
 * Reads `--addresses`. Refuses what no client can connect to (multicast, broadcast, unspecified) and what does not say what
 * it means (host bits behind the prefix, IPv4 written as IPv6): an instance with such an address would be `online` and
 * reached by nobody. Pure; the machine's own networks come as an argument. Used by settings.ts.
 */
import { formatAddress, parseAddress } from '../lib/net/address.ts';
import { type Cidr, cidrsMeet, cidrText, hostAt, hostRange, parseCidr } from '../lib/net/cidr.ts';
import { type Parser, Refused, words } from './values.ts';

const UNUSABLE: readonly [network: string, why: string][] = [
  ['0.0.0.0/8', 'of which 0.0.0.0/8 is no address of a host'],
  ['224.0.0.0/4', 'of which 224.0.0.0/4 is multicast'],
  ['255.255.255.255', 'of which 255.255.255.255 is broadcast'],
  ['::', 'of which :: is no address of a host'],
  ['ff00::/8', 'of which ff00::/8 is multicast'],
  ['::ffff:0:0/96', 'which holds IPv4 addresses as IPv6; write them as IPv4'],
];
const LOOPBACK = cidrOf('127.0.0.0/8');

export function entryAddresses(ownNetworks: () => readonly string[]): Parser<readonly string[]> {
  return (value) => {
    const networks = words(value);
    for (const network of networks) {
      const why = problemOf(network, ownNetworks);
      if (why !== undefined) throw new Refused(`holds ${network}, ${why}`);
    }
    return networks;
  };
}

function problemOf(text: string, ownNetworks: () => readonly string[]): string | undefined {
  const cidr = parseCidr(text);
  if (!cidr) return 'which is not an address or network such as 127.44.0.0/16';
  const [host = ''] = text.split('/');
  const address = formatAddress(parseAddress(host) ?? new Uint8Array(4));
  const single = cidrText({ ...cidr, prefix: cidr.family === 4 ? 32 : 128 });
  if (address !== single)
    return `which has bits behind its prefix; write ${cidrText(cidr)} for the network, or ${address} for the one address`;
  const unusable = UNUSABLE.find(([network]) => cidrsMeet(cidr, cidrOf(network)));
  if (unusable) return unusable[1];
  // Nothing is asked of the system where its answer can't matter: one with thousands of addresses takes its time.
  const isLoopback = cidrsMeet(cidr, LOOPBACK) && cidr.prefix >= LOOPBACK.prefix;
  const own = isLoopback ? undefined : ownNetworks().find((network) => hasBroadcastOf(cidr, cidrOf(network)));
  return (
    own &&
    `of which ${broadcastOf(cidrOf(own))} is the broadcast address of this machine's network ${cidrText(cidrOf(own))}`
  );
}

/** The pool's own last address is never handed out, so it may be one. */
function hasBroadcastOf(pool: Cidr, own: Cidr): boolean {
  if (own.family !== 4 || own.prefix >= 31 || pool.family !== 4) return false;
  const last = cidrOf(broadcastOf(own));
  return cidrsMeet(pool, last) && (pool.prefix >= 31 || cidrText(last) !== broadcastOf(pool));
}

function broadcastOf(cidr: Cidr): string {
  const range = hostRange(cidr);
  return hostAt(range, range.size);
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new RangeError(`${text} is not a network`);
  return cidr;
}
