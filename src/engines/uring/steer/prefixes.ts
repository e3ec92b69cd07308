/** A range of ports as prefixes, as a routing table would have it: 1024–65535 is six of them. Pure. Called by steering.ts. */
import { parseAddress } from '../../../lib/net/address.ts';
import type { PortSpan } from '../../../lib/net/ports.ts';
import { AF_INET, AF_INET6 } from '../../../linux/abi.ts';
import { KEY, PREFIX_BITS } from './program.ts';

const PORT_BITS = 16;

/** The ports that begin with the first `bits` bits of `port`. */
interface Prefix {
  readonly port: number;
  readonly bits: number;
}

/** The fewest that cover the span and nothing else, ascending. */
export function prefixesOf({ from, to }: PortSpan): Prefix[] {
  const prefixes: Prefix[] = [];
  for (let port = from; port <= to;) {
    let free = 0;
    while (free < PORT_BITS && port % 2 ** (free + 1) === 0 && port + 2 ** (free + 1) - 1 <= to) free++;
    prefixes.push({ port, bits: PORT_BITS - free });
    port += 2 ** free;
  }
  return prefixes;
}

/** The key of an entry in the program's tree. The caller knows that `address` is one. */
export function keyOf(address: string, { port, bits }: Prefix): Uint8Array {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  const isV6 = bytes.length === 16;
  const key = new Uint8Array(KEY.bytes);
  const view = new DataView(key.buffer);
  view.setUint32(KEY.length, PREFIX_BITS + bits, true);
  view.setUint32(KEY.family, isV6 ? AF_INET6 : AF_INET, true);
  key.set(bytes, isV6 ? KEY.v6 : KEY.v4);
  view.setUint16(KEY.port, port);
  return key;
}
