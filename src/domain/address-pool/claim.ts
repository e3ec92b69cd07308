/** Joining and leaving an entry address: the only code that makes a claim. Pure. */
import type { AddressClaim, Holder } from '../site/site.ts';

/**
 * limit: instances on one address. A rule that is created on a shared address is compared with the rules of every other
 * holder, so this bounds that work to some ten thousand rules, and the claim's record to about 30 KB. It is also the only
 * cap on instances: a zone may have as many as the pools hold.
 */
export const MOST_HOLDERS = 512;

function same(a: Holder, b: Holder): boolean {
  return a.zone === b.zone && a.name === b.name;
}

/** Whether one more instance may come to this address, ports aside. */
export function hasRoom(claim: AddressClaim): boolean {
  return !claim.exclusive && claim.proxies.length < MOST_HOLDERS;
}

export function joined(claim: AddressClaim | undefined, { zone, name }: Holder, exclusive: boolean): AddressClaim {
  const others = (claim?.proxies ?? []).filter((proxy) => !same(proxy, { zone, name }));
  return { proxies: [...others, { zone, name }], exclusive };
}

/** `undefined`: no instance is left, so the claim goes. */
export function left(claim: AddressClaim, holder: Holder): AddressClaim | undefined {
  const proxies = claim.proxies.filter((proxy) => !same(proxy, holder));
  return proxies.length === 0 ? undefined : { ...claim, proxies };
}

export function othersOn(claim: AddressClaim | undefined, holder: Holder): readonly Holder[] {
  return (claim?.proxies ?? []).filter((proxy) => !same(proxy, holder));
}
