/**
 * Forgets what ended processes of edges counted for rules that are no more: a running edge says itself which of its rows go,
 * of its predecessors' rows nobody else does. And all rows of an edge that was last heard of an hour ago: should it come
 * back, it tells what it counts again. Looks once a minute. Made by inside.ts.
 */
import type { L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { CounterBook } from '../facts/counters.ts';
import type { Clock } from '../lib/clock.ts';
import { keys } from '../store/records.ts';
import type { Store } from '../store/store.ts';

const LOOK_MS = 60_000;
/** limit: rows of so many edges as come and go within it. */
const FORGET_MS = 3_600_000;

interface Heard {
  edges(): readonly { readonly id: string; readonly alive: boolean; readonly seenAt: number }[];
}

export function forgetGoneRules(
  store: Pick<Store, 'read'>,
  { acks, counters }: { readonly acks: Heard; readonly counters: CounterBook },
  clock: Clock,
): Disposable {
  const looking = clock.every(LOOK_MS, () => void look().catch(() => {}));

  async function look(): Promise<void> {
    forgetEdges();
    if (!counters.hasPast()) return;
    const proxies = await store.read((view) => view.list(keys.allProxies()));
    const ids = new Set(proxies.flatMap(({ value }) => (value as L4Proxy).rules.map(({ id }) => id)));
    counters.forgetRules((rule) => ids.has(rule));
  }

  function forgetEdges(): void {
    const heard = new Map(acks.edges().map(({ id, alive, seenAt }) => [id, alive ? Infinity : seenAt]));
    for (const edge of counters.edges()) if (clock.now() - (heard.get(edge) ?? 0) > FORGET_MS) counters.forget(edge);
  }

  return { [Symbol.dispose]: () => looking.cancel() };
}
