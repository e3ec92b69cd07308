/**
 * The services behind control's ports: the store with its first records, the facts, the link to edges, the API. Makes and joins
 * them, and has them ended in the reverse order. Called by control.ts, which has the ports.
 */
import type { Api } from '../api/pipeline.ts';
import type { Credentials } from '../config/credentials.ts';
import type { DataFolder } from '../config/data-folder.ts';
import type { Config } from '../config/read.ts';
import { openFacts } from '../facts/facts.ts';
import type { FactReader } from '../facts/readers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Rng } from '../lib/rng.ts';
import { VERSION } from '../program/version.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { openStore } from '../store/registry.ts';
import type { EdgeCopySource, Store } from '../store/store.ts';
import { forgetEnded } from './ended-records.ts';
import { createLinkServer } from './link/server.ts';
import { listenForEdges } from './link/socket.ts';
import { keepCredentials } from './root-pair.ts';
import { seedPatiently } from './seed.ts';
import { sweepFacts } from './sweep-facts.ts';

export interface Services {
  readonly api: Api;
  readonly store: Store;
  readonly facts: FactReader;
  readonly credentials: Credentials;
}

interface Parts {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Of an edge on this data folder. */
  readonly edgeCopy?: EdgeCopySource | undefined;
}

/** `ending` closes all that was opened, also where this rejects. Throws Usage or StoreUnusable. */
export async function openServices(parts: Parts, ending: AsyncDisposableStack): Promise<Services> {
  const { config, folder, log, metrics, clock, rng } = parts;
  // order: the store opens on a thread of its own; until then there is time to load the API, the most code by far.
  const opening = openStore(config.store ?? `sqlite:${folder.world}`, {
    clock,
    log,
    copy: parts.edgeCopy,
    newWorld: config.newWorld === 'on',
  });
  ending.defer(() =>
    opening.then(
      (store) => store.close(),
      () => {},
    ),
  );
  const [store, { openApi }] = await Promise.all([opening, import('./api.ts')]);
  const credentials = await keepCredentials(parts, store);
  const seed = { ...credentials, site: config.site, addresses: config.addresses };
  ending.use(await seedPatiently(store, seed, clock, log));
  store.partial?.seal();

  const facts = await openFacts(folder, store.world, { clock, log });
  ending.defer(() => facts.close());
  const link = createLinkServer({ store, version: VERSION, facts, clock, log });
  const socket = await listenForEdges(folder.socket, link, log);
  ending.defer(() => socket.close());
  ending.use(forgetEnded(store, clock));
  ending.use(sweepFacts(facts.world, store, clock));

  const { read } = facts;
  const api = openApi({ config, store, facts: read, firstZone: credentials.zoneId, log, metrics, clock, rng });
  return { api, store, facts: read, credentials };
}
