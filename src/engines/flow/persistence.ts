/**
 * Session persistence: a client address keeps its target for some time after its last new connection. Pure and bounded;
 * the caller checks whether the remembered target is still usable.
 */
import { MOST_REMEMBERED_CLIENTS } from './behaviour.ts';

interface Persistence {
  /** 0 switches it off and forgets all clients. */
  setSeconds(seconds: number): void;
  recall(client: string, now: number): string | undefined;
  remember(client: string, address: string, now: number): void;
  forget(client: string): void;
}

export function createPersistence(most = MOST_REMEMBERED_CLIENTS): Persistence {
  /** In the order of the last use. */
  const clients = new Map<string, { readonly address: string; readonly at: number }>();
  let keepMs = 0;

  return {
    setSeconds(seconds) {
      keepMs = seconds * 1000;
      if (seconds === 0) clients.clear();
    },
    recall(client, now) {
      const entry = clients.get(client);
      return entry && now - entry.at < keepMs ? entry.address : undefined;
    },
    remember(client, address, now) {
      clients.delete(client);
      clients.set(client, { address, at: now });
      for (const [oldest, { at }] of clients) {
        if (clients.size <= most && now - at < keepMs) break;
        clients.delete(oldest);
      }
    },
    forget(client) {
      clients.delete(client);
    },
  };
}
