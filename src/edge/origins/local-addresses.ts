/** The addresses of this machine, as far as a listener on every address answers there. Asked when targets are judged. */
import { networkInterfaces } from 'node:os';
import type { Clock, Timer } from '../../lib/clock.ts';
import { formatAddress, parseAddress } from '../../lib/net/address.ts';

interface LocalAddresses {
  has(address: string): boolean;
  stop(): void;
}

/** limit: how late a new address of the machine is seen. */
const LOOK_MS = 5_000;

/** Calls `changed` when there are other ones. */
export function followLocalAddresses(clock: Clock, changed: () => void, read = addressesOfInterfaces): LocalAddresses {
  let known = read();
  const timer: Timer = clock.every(LOOK_MS, () => {
    const now = read();
    if (now.size === known.size && [...now].every((address) => known.has(address))) return;
    known = now;
    changed();
  });
  return {
    has: (address) => address === '::1' || address.startsWith('127.') || known.has(address),
    stop: () => timer.cancel(),
  };
}

function addressesOfInterfaces(): Set<string> {
  const texts = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return new Set(texts.flatMap((text) => [parseAddress(text)].flatMap((bytes) => (bytes ? formatAddress(bytes) : []))));
}
