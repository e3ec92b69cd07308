/**
 * An engine that forwards nothing: it stands behind the same door, writes down every call, and answers what the test
 * says. A port is taken while a listener holds it, as on a real host.
 */
import type { Applied, Capabilities, Engine, EngineFactory, Listener } from '../../src/engines/engine.ts';
import { absentEngine } from '../../src/engines/hosting/forward.ts';

export interface FakeEngine extends Engine {
  readonly listeners: ReadonlyMap<string, Listener>;
  /** `apply rule-1`, `apply rule-1 beside PPV1`, `remove rule-1`, `prune rule-1,rule-2`, in order. */
  readonly calls: readonly string[];
  /** What apply answers for a rule; undefined: as the ports allow. May wait. */
  answer: (listener: Listener) => Promise<Applied | undefined> | Applied | undefined;
}

const CAPABLE: Capabilities = {
  modes: ['OFF', 'PPV1', 'PPV2', 'SPP'],
  protocols: ['TCP', 'UDP'],
  ipv6: true,
  nextOrigin: true,
};

/** `host`: ports in use, `address protocol port` → who holds it; engines that share it compete for ports. */
export function fakeEngine(
  name: string,
  capabilities: Partial<Capabilities> = {},
  host: Map<string, string> = new Map(),
): FakeEngine {
  const listeners = new Map<string, Listener>();
  const calls: string[] = [];

  function free({ id, entries, protocol, ports }: Listener): void {
    for (const place of places(entries, protocol, ports)) if (host.get(place) === `${name} ${id}`) host.delete(place);
  }
  function bind(listener: Listener): Applied {
    const before = listeners.get(listener.id);
    if (before) free(before);
    const wanted = places(listener.entries, listener.protocol, listener.ports);
    const taken = wanted.find((place) => host.has(place));
    if (taken !== undefined) {
      listeners.delete(listener.id);
      return { ok: false, reason: `EADDRINUSE ${taken}` };
    }
    for (const place of wanted) host.set(place, `${name} ${listener.id}`);
    listeners.set(listener.id, listener);
    return { ok: true };
  }
  const engine: FakeEngine = {
    ...absentEngine(name, 'unused'),
    listeners,
    calls,
    answer: () => undefined,
    capabilities: () => ({ ...CAPABLE, ...capabilities }),
    async apply(listener, beside) {
      calls.push(`apply ${listener.id}${beside ? ` beside ${beside.mode}` : ''}`);
      return (await engine.answer(listener)) ?? bind(listener);
    },
    async remove(id) {
      calls.push(`remove ${id}`);
      const listener = listeners.get(id);
      if (listener) free(listener);
      listeners.delete(id);
    },
    async prune(keep) {
      calls.push(`prune ${[...keep].toSorted().join()}`);
      for (const id of listeners.keys()) if (!keep.has(id)) listeners.delete(id);
    },
    async stop() {
      calls.push('stop');
      listeners.clear();
    },
  };
  return engine;
}

function places(entries: readonly string[], protocol: string, ports: Listener['ports']): string[] {
  return entries.flatMap((entry) =>
    ports.flatMap(({ from, to }) =>
      Array.from({ length: to - from + 1 }, (_, i) => `${entry} ${protocol} ${from + i}`),
    ),
  );
}

export function factoryOf(engine: FakeEngine): EngineFactory {
  return async () => engine;
}
