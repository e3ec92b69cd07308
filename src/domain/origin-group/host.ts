/**
 * Whether a text can be the host of an origin: an address that policy lets through, in its usual spelling, or a domain
 * name. Pure; says what is wrong and leaves the error code to its callers, the checks of rules and of origin groups.
 */
import { formatAddress } from '../../lib/net/address.ts';
import { type EgressRule, type Host, readHost } from '../../lib/net/egress.ts';

interface HostProblem {
  /** `address`: a good address that may not be an origin. `form`: anything else. */
  readonly about: 'address' | 'form';
  readonly why: string;
}

/** order: an address that policy refuses is refused as such, however it is written. */
export function hostProblem(text: string, egress: EgressRule, host: Host = readHost(text)): HostProblem | undefined {
  if (host.kind === 'name') return undefined;
  if (host.kind === 'neither')
    return { about: 'form', why: `\`${text}\` is neither an IP address nor a domain name (without a port)` };
  const address = formatAddress(host.bytes);
  const what = host.isPlain ? text : `${text} (${address})`;
  const refusal = egress(host.bytes);
  if (refusal === 'no host') return { about: 'address', why: `${what} is no host's address` };
  if (refusal === 'policy')
    return { about: 'address', why: `${what} is refused by the origin policy (EDGEFOUR_ORIGINS_DENY)` };
  return host.isPlain
    ? undefined
    : { about: 'form', why: `\`${text}\` is an unusual spelling of ${address}; write it so` };
}

/** Equal for two spellings of one address. */
export function sameHostText(text: string): string {
  const host = readHost(text);
  return host.kind === 'address' ? formatAddress(host.bytes) : text;
}
