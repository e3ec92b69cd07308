/** The IPv4 networks that this machine is in, as its interfaces have them. The one place of config that asks the system. */
import { networkInterfaces } from 'node:os';

/** `192.0.2.7/24`: the machine's address and the length of its network. */
export function ownNetworks(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr !== null ? [cidr] : []));
}
