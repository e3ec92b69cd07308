/**
 * Asks the system for the addresses of a name: DNS first, for its TTL, then whatever the host itself knows
 * (/etc/hosts, localhost, mDNS). It remembers nothing; resolve.ts does.
 */
import { promises as dns } from 'node:dns';
import { createGate } from '../../lib/gate.ts';

export interface Answer {
  readonly addresses: readonly string[];
  readonly ttlSeconds: number;
}
/** Rejects where the name has no address or nobody could be asked; the message is for an operator. */
export type Lookup = (name: string) => Promise<Answer>;

/** limit: /etc/hosts has no TTL; this is how soon a change of it is seen. */
const HOST_TTL_SECONDS = 10;

export function createSystemLookup(): Lookup {
  const resolver = new dns.Resolver({ timeout: 2_000, tries: 2 });
  // limit: getaddrinfo blocks a thread of the pool of four that file writes need too.
  const gate = createGate(2);

  async function askHost(name: string): Promise<Answer> {
    const leave = await gate.enter();
    try {
      const found = await dns.lookup(name, { all: true });
      return { addresses: found.map(({ address }) => address), ttlSeconds: HOST_TTL_SECONDS };
    } finally {
      leave();
    }
  }
  return async (name) => {
    const answers = await Promise.allSettled([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolve6(name, { ttl: true }),
    ]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length === 0) return askHost(name);
    return {
      addresses: found.map(({ address }) => address),
      ttlSeconds: Math.min(...found.map(({ ttl }) => ttl)),
    };
  };
}
