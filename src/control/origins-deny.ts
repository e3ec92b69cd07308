/** Which origin addresses policy refuses: the networks of EDGEFOUR_ORIGINS_DENY, with `private` spelt out. */
import { networkSet } from '../lib/net/cidr.ts';

/** wire: what the cloud calls a private or loopback origin, and refuses. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '::1', 'fc00::/7'];

export function originsDenied(words: readonly string[]): (ip: string) => boolean {
  return networkSet(words.flatMap((word) => (word === 'private' ? PRIVATE : [word])));
}
