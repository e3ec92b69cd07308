/** The answers of control's HTTP port, from the services: API calls, readiness, metrics, the start page. Made by control.ts. */
import process from 'node:process';
import type { Config } from '../../config/read.ts';
import { FACT_METRICS, factsNow } from '../../facts/metrics.ts';
import { networkSet } from '../../lib/net/cidr.ts';
import { VERSION } from '../../program/version.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { keys } from '../../store/records.ts';
import type { HttpDoors } from './exchanges.ts';
import type { Services } from '../services.ts';
import { readiness } from './readiness.ts';
import { startPage } from './start-page.ts';

interface DoorParts {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly api: string;
  readonly dns: string;
  /** The edge that this control is there for: the one beside it under `up`. */
  readonly edge: string | undefined;
}

export function controlDoors(services: Services, parts: DoorParts): HttpDoors {
  const { store, credentials } = services;
  const { acks, presence } = services.facts;
  const { config, metrics } = parts;
  metrics.show(FACT_METRICS, () => factsNow(services.facts));
  return {
    call: (raw) => services.api.handle(raw),
    foresee: (raw) => services.api.foresee(raw),
    refuse: (raw, fault) => services.api.refuse(raw, fault),
    ready: () => readiness(presence, parts.edge),
    async metrics() {
      if ((config.metrics ?? (isLoopback(config.listen.host) ? 'open' : 'off')) === 'off') return undefined;
      metrics.set('edgefour_store_revision', {}, await store.read(({ revision }) => revision));
      return metrics.render();
    },
    async console() {
      const world = await store.read((view) => ({ revision: view.revision, instances: view.count(keys.allProxies()) }));
      return startPage({
        ...world,
        version: VERSION,
        node: process.version,
        api: parts.api,
        dns: parts.dns,
        domain: config.domain,
        zoneId: credentials.zoneId,
        edges: acks.edges().map((edge) => ({ ...edge, engines: edge.engines.join(', ') })),
      });
    },
  };
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.toLowerCase() === 'localhost' || networkSet(['127.0.0.0/8'])(host);
}
