/** Control's name server: listens at once, answers from the store as soon as that is open. */
import type { HostPort } from '../config/values.ts';
import { Usage } from '../config/usage.ts';
import type { Clock } from '../lib/clock.ts';
import type { Inherited } from '../handoff/inherited.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Services } from './services.ts';
import { type Dns, startDns } from './dns/server.ts';
import { recordWorld } from './dns/world.ts';

interface DnsParts {
  readonly listen: HostPort;
  readonly inherited?: Inherited | undefined;
  readonly domain: string;
  /** Questions wait for it. */
  readonly services: Promise<Pick<Services, 'store' | 'facts'>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Throws Usage where the address can't be had. */
export async function startControlDns(parts: DnsParts): Promise<Dns> {
  const { listen, inherited, domain, clock, log, metrics } = parts;
  let opened: Pick<Services, 'store' | 'facts'> | undefined;
  const world = recordWorld({
    store: {
      async read(fn) {
        opened ??= await parts.services;
        return opened.store.read(fn);
      },
    },
    domain,
    nameServer: listen.host,
    serves: (site, proxy) => opened?.facts.presence.serves(site, proxy) ?? true,
    isLost: (site, address) => opened?.facts.presence.isLost(site, address) ?? false,
  });
  try {
    return await startDns({ listen, inherited, world, clock, log, metrics });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `can't be had (${code ?? message})`;
    throw new Usage(`${listen.host}:${listen.port} for DNS ${why}. Choose another with --dns HOST:PORT, or --dns off.`);
  }
}
