/** Whether the entry addresses of the settings are on this machine, and a privileged port of them can be had, by trying. */
import { isIPv6 } from 'node:net';
import { hostAt, hostRange, parseCidr } from '../../lib/net/cidr.ts';
import { tryTcp, tryUdp } from '../../observe/bind.ts';
import { bad, type Finding, ok, warn } from '../../observe/finding.ts';

export async function entryFindings(networks: readonly string[]): Promise<Finding[]> {
  const [first] = networks;
  const entries = await Promise.all(networks.map((network) => entryFinding(network)));
  return first === undefined ? entries : [...entries, await port443Finding(first)];
}

export async function entryFinding(network: string): Promise<Finding> {
  const address = firstHost(network);
  const about = `entry ${network}`;
  const error = (await tryTcp(address, 0)) ?? (await tryUdp(address, 0));
  if (error === undefined) return ok(about, `${address} can be bound`);
  const device = isIPv6(address) ? `ip -6 addr add ${network} dev …` : `ip addr add ${network} dev …`;
  if (error === 'EADDRNOTAVAIL')
    return bad(about, `${address} is no address of this machine`, `Add it (${device}) or change --addresses.`);
  return bad(about, `${address} can't be bound (${error})`, 'Change --addresses.');
}

/** A privileged port that a rule may want. */
async function port443Finding(network: string): Promise<Finding> {
  const address = firstHost(network);
  const error = await tryTcp(address, 443);
  if (error === undefined || error === 'EADDRINUSE')
    return ok('port 443', error ? `in use at ${address}` : `free at ${address}`);
  return warn('port 443', `can't be bound at ${address} (${error})`, 'See docs/how-to/port-443.md.');
}

export function firstHost(network: string): string {
  const cidr = parseCidr(network);
  return cidr ? hostAt(hostRange(cidr), 0) : network;
}
