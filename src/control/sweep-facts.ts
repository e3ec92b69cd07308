/** Once a minute has the facts forget what no edge will tell again, by the rules that there are. Made by services.ts. */
import type { L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { FactWorld } from '../facts/facts.ts';
import type { Clock } from '../lib/clock.ts';
import { keys } from '../store/records.ts';
import type { Store } from '../store/store.ts';

const SWEEP_MS = 60_000;

/** The store's failures are its own to tell; the next sweep comes anyway. */
export function sweepFacts(facts: Pick<FactWorld, 'sweep'>, store: Pick<Store, 'read'>, clock: Clock): Disposable {
  async function rules(): Promise<ReadonlySet<string>> {
    const proxies = await store.read((view) => view.list(keys.allProxies()));
    return new Set(proxies.flatMap(({ value }) => (value as L4Proxy).rules.map(({ id }) => id)));
  }
  const sweeping = clock.every(SWEEP_MS, () => void facts.sweep(rules).catch(() => {}));
  return { [Symbol.dispose]: () => sweeping.cancel() };
}
