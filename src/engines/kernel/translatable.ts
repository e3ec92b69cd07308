/**
 * Which listeners address translation can serve, at which of their entries, and why not another one, in words for its owner.
 * Pure. Called by changes.ts for every apply.
 */
import { formatAddress, parseAddress, unmappedBytes } from '../../lib/net/address.ts';
import type { Listener } from '../engine.ts';
import { familyOf } from './table/sets.ts';

type Read = { readonly listener: Listener } | { readonly reason: string };

/** Names are written into nft's language, where they must not end a word or a statement. */
const NAME = /^[\w.:/=@+-]{1,60}$/;

/** The listener with its addresses as the kernel writes them, or why it can't be served. */
export function readListener(raw: Listener): Read {
  if (!NAME.test(raw.id) || !NAME.test(raw.proxy)) return { reason: 'its id has letters that nft has no use for' };
  if (raw.mode !== 'OFF') return { reason: `the kernel engine cannot do ${raw.mode}: it adds no byte` };
  if (raw.entries.length === 0) return { reason: 'the rule has no entry address on this edge' };
  const entries = raw.entries.map((entry) => canonical(entry));
  const targets = raw.targets.map((target) => ({ ...target, address: canonical(target.address) }));
  const bad = [...raw.entries, ...raw.targets.map(({ address }) => address)].find((text) => canonical(text) === '');
  if (bad !== undefined) return { reason: `${bad} is not an address` };
  return { listener: { ...raw, entries, targets } };
}

/** '' where it is no address. An IPv4-mapped IPv6 address is the IPv4 address. */
function canonical(text: string): string {
  const bytes = parseAddress(text);
  return bytes ? formatAddress(unmappedBytes(bytes)) : '';
}

/** The listener at the entries where it can be served. `note`: at which others it is not, and why. */
type Translatable = { readonly listener: Listener; readonly note?: string } | { readonly reason: string };

/** `forwards`: why this machine passes nothing on from an entry. */
export function translatable(
  listener: Listener,
  forwards: (entry: string) => string | undefined = () => undefined,
): Translatable {
  const whys = listener.entries.map((entry) => unreachable(entry, listener.targets) ?? forwards(entry));
  const entries = listener.entries.filter((_, i) => whys[i] === undefined);
  const [first, ...others] = whys.filter((why) => why !== undefined);
  if (first === undefined) return { listener };
  if (entries.length === 0) return { reason: first };
  return { listener: { ...listener, entries }, note: `not served: ${[first, ...others].join('; ')}` };
}

/**
 * The kernel routes a packet to or from a loopback address only inside the machine, and translation does not change that;
 * nor does it turn IPv4 into IPv6.
 */
function unreachable(entry: string, targets: Listener['targets']): string | undefined {
  const family = familyOf(entry);
  const same = targets.filter(({ address }) => familyOf(address) === family);
  if (targets.length > 0 && same.length === 0)
    return `${entry} is IPv${family} and no origin is: the kernel engine leads to origins of the same family only`;
  const other = same.find(({ address }) => isLoopback(address) !== isLoopback(entry));
  if (other && isLoopback(entry))
    return `${entry} is a loopback address and the origin ${other.address} is not: packets from loopback never leave the machine`;
  if (other)
    return `the origin ${other.address} is a loopback address: packets from outside are not led there; name an address of this machine`;
  return undefined;
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
