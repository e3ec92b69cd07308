/**
 * Forgets what ended processes of edges counted for rules that are no more: a running edge says itself which of its rows go,
 * of its predecessors' rows nobody else does. Looks once a minute, and only where there are such rows. Made by inside.ts.
 */
import type { L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { CounterBook } from '../facts/counters.ts';
import type { Clock } from '../lib/clock.ts';
import { keys } from '../store/records.ts';
import type { Store } from '../store/store.ts';

const LOOK_MS = 60_000;

export function forgetGoneRules(store: Store, counters: CounterBook, clock: Clock): Disposable {
  const looking = clock.every(LOOK_MS, () => void look().catch(() => {}));

  async function look(): Promise<void> {
    if (!counters.hasPast()) return;
    const proxies = await store.read((view) => view.list(keys.allProxies()));
    const ids = new Set(proxies.flatMap(({ value }) => (value as L4Proxy).rules.map(({ id }) => id)));
    counters.forgetRules((rule) => ids.has(rule));
  }

  return { [Symbol.dispose]: () => looking.cancel() };
}
