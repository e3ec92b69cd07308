/**
 * Which hosts may be dialled. `readHost` reads a text as the least strict resolver there is: an address in any spelling, a
 * name, or neither. `egressRule` says of an address, and of each IPv4 address inside it, whether policy lets a connection
 * go there. Pure; looks nothing up. Callers: validation of what the API is told, and the edge for what it resolved.
 */
import { byteAt, formatAddress, isMapped, isUnicast, parseAddress } from './address.ts';
import { networkSet } from './cidr.ts';
import { isDomainName } from './domain-name.ts';

export type Host =
  /** `isPlain`: written the one way in which every program reads it alike. */
  | { readonly kind: 'address'; readonly bytes: Uint8Array; readonly isPlain: boolean }
  | { readonly kind: 'name' }
  | { readonly kind: 'neither' };

export function readHost(text: string): Host {
  const plain = parseAddress(text);
  if (plain) return { kind: 'address', bytes: plain, isPlain: true };
  const bytes = oddV6(text) ?? oddV4(text);
  if (bytes) return { kind: 'address', bytes, isPlain: false };
  return { kind: isDomainName(text) ? 'name' : 'neither' };
}

/** In brackets, with a zone: `[::1]`, `fe80::1%eth0`. */
function oddV6(text: string): Uint8Array | undefined {
  const [, inner = text] = /^\[(.*)\]$/.exec(text) ?? [];
  const [address = ''] = inner.split('%');
  return address.includes(':') ? parseAddress(address) : undefined;
}

/** One to four numbers as inet_aton(3) takes them, decimal, octal, hexadecimal or (newest glibc) binary; the last one fills up. */
function oddV4(text: string): Uint8Array | undefined {
  const parts = (text.endsWith('.') ? text.slice(0, -1) : text).split('.').map(readNumber);
  const last = parts.pop();
  if (last === undefined || parts.length > 3) return undefined;
  if (!parts.every((part) => part !== undefined && part <= 255)) return undefined;
  const rest = 4 - parts.length;
  if (last >= 256 ** rest) return undefined;
  const tail = Array.from({ length: rest }, (_, i) => Math.floor(last / 256 ** (rest - 1 - i)) % 256);
  return Uint8Array.from([...(parts as number[]), ...tail]);
}

const BASES: readonly (readonly [RegExp, number])[] = [
  [/^0x([0-9a-f]+)$/i, 16],
  [/^0b([01]+)$/i, 2],
  [/^0([0-7]*)$/, 8],
  [/^([1-9]\d*)$/, 10],
];

function readNumber(text: string): number | undefined {
  for (const [pattern, base] of BASES) {
    const digits = pattern.exec(text)?.[1];
    if (digits !== undefined) return Number.parseInt(digits || '0', base);
  }
  return undefined;
}

/** `no host`: unspecified, multicast or broadcast. `policy`: one of the networks that the operator refuses. */
type Refusal = 'no host' | 'policy';
export type EgressRule = (address: Uint8Array) => Refusal | undefined;

/** wire: networks that the cloud calls private or loopback, and refuses. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '::1', 'fc00::/7'];

/** `deny`: networks, and the word `private`. Throws where one can't be read. */
export function egressRule(deny: readonly string[]): EgressRule {
  const isDenied = networkSet(deny.flatMap((word) => (word === 'private' ? PRIVATE : [word])));
  return (address) => {
    const inside = embedded(address);
    if (!isUnicast(address) || inside.sure.some((v4) => !isUnicast(v4))) return 'no host';
    const all = [address, ...inside.sure, ...inside.maybe];
    return all.some((one) => isDenied(formatAddress(one))) ? 'policy' : undefined;
  };
}

interface Embedded {
  /** The packet ends there, wherever the prefix is in use. */
  readonly sure: readonly Uint8Array[];
  /** It may end there: the network's layout can't be seen. */
  readonly maybe: readonly Uint8Array[];
}

const at = (address: Uint8Array, ...places: readonly number[]): Uint8Array =>
  Uint8Array.from(places, (place) => byteAt(address, place));
const last = (address: Uint8Array): Uint8Array => at(address, 12, 13, 14, 15);
const begins = (address: Uint8Array, ...bytes: readonly number[]): boolean =>
  bytes.every((byte, i) => byteAt(address, i) === byte);
const ZEROS = [0, 0, 0, 0, 0, 0, 0, 0] as const;

/** The IPv4 addresses that translators and tunnels read out of an IPv6 address. */
function embedded(address: Uint8Array): Embedded {
  if (address.length === 4) return { sure: [], maybe: [] };
  const sure: Uint8Array[] = [];
  const maybe: Uint8Array[] = [];
  const isLow = begins(address, ...ZEROS, 0, 0, 0, 0);
  const isLoopback = isLow && at(address, 12, 13, 14, 15).join() === '0,0,0,1';
  // Mapped, compatible (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052), 6to4 (RFC 3056).
  if (isMapped(address) || (isLow && !isLoopback)) sure.push(last(address));
  if (begins(address, ...ZEROS, 0xff, 0xff, 0, 0)) sure.push(last(address));
  if (begins(address, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0)) sure.push(last(address));
  if (begins(address, 0x20, 0x02)) sure.push(at(address, 2, 3, 4, 5));
  // NAT64 of one's own (RFC 8215), in the layouts of RFC 6052 that fit in it.
  if (begins(address, 0, 0x64, 0xff, 0x9b, 0, 1))
    maybe.push(at(address, 6, 7, 9, 10), at(address, 7, 9, 10, 11), at(address, 9, 10, 11, 12), last(address));
  // Teredo (RFC 4380): the server, and the client with its bits turned over.
  if (begins(address, 0x20, 0x01, 0, 0))
    maybe.push(
      at(address, 4, 5, 6, 7),
      last(address).map((byte) => byte ^ 0xff),
    );
  // ISATAP (RFC 5214).
  if ((byteAt(address, 8) & 0xfd) === 0 && at(address, 9, 10, 11).join() === '0,94,254') maybe.push(last(address));
  return { sure, maybe };
}
