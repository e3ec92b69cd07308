/** The API with what its handlers may know of the running control. Loaded by services.ts while the store opens. */
import { ACTIONS } from '../api/actions/index.ts';
import { InjectedFaults } from '../api/steps/injected-faults.ts';
import { type Api, createApi } from '../api/pipeline.ts';
import type { Config } from '../config/read.ts';
import type { FactReader } from '../facts/readers.ts';
import type { Clock } from '../lib/clock.ts';
import { egressRule } from '../lib/net/egress.ts';
import type { Rng } from '../lib/rng.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { VERSION } from '../program/version.ts';
import type { Store } from '../store/store.ts';

interface ApiParts {
  readonly config: Config;
  readonly store: Store;
  readonly facts: FactReader;
  /** The zone that exists from the start. */
  readonly firstZone: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly rng: Rng;
}

export function openApi({ config, store, facts, firstZone, log, metrics, clock, rng }: ApiParts): Api {
  const { domain, features, rate, unknownFields, defaults } = config;
  return createApi({
    store,
    actions: ACTIONS,
    log,
    metrics,
    settings: { ratePerSecond: rate, unknownFields },
    around: {
      clock,
      rng,
      facts,
      domain,
      features,
      firstZone,
      defaults,
      egress: egressRule(config.originsDeny),
      faults: new InjectedFaults(Object.keys(ACTIONS)),
      version: VERSION,
      alarms: () => store.alarms ?? [],
    },
  });
}
