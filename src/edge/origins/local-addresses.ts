/**
 * The addresses of this machine on which a listener on every address answers, looked up every few seconds. It decides
 * nothing; loops.ts asks it, origins.ts listens to its changes.
 */
import { networkInterfaces } from 'node:os';
import type { Clock } from '../../lib/clock.ts';
import { formatAddress, parseAddress } from '../../lib/net/address.ts';
import { Signal } from '../../lib/signal.ts';

export interface LocalAddresses {
  has(address: string): boolean;
  /** The machine has other addresses. */
  readonly changed: Signal;
  stop(): void;
}

/** limit: how late a new address of the machine is seen. */
const LOOK_MS = 5_000;

export function followLocalAddresses(clock: Clock, read = addressesOfInterfaces): LocalAddresses {
  const changed = new Signal();
  let known = read();
  const timer = clock.every(LOOK_MS, () => {
    const now = read();
    if (now.size === known.size && [...now].every((address) => known.has(address))) return;
    known = now;
    changed.tell();
  });
  return {
    has: (address) => address === '::1' || address.startsWith('127.') || known.has(address),
    changed,
    stop: () => timer.cancel(),
  };
}

function addressesOfInterfaces(): Set<string> {
  const texts = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
  return new Set(texts.flatMap((text) => [parseAddress(text)].flatMap((bytes) => (bytes ? formatAddress(bytes) : []))));
}
