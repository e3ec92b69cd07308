/** The API with what its handlers may know of the running control. Loaded by inside.ts while the store opens. */
import { ACTIONS } from '../api/actions/index.ts';
import { InjectedFaults } from '../api/steps/injected-faults.ts';
import { type Api, createApi } from '../api/pipeline.ts';
import type { Operator } from '../api/handling/transaction.ts';
import type { Acks } from '../facts/acks.ts';
import type { CounterBook } from '../facts/counters.ts';
import { egressRule } from '../lib/net/egress.ts';
import { VERSION } from '../program/version.ts';
import type { Store } from '../store/store.ts';
import type { Parts } from './inside.ts';

export function openApi(
  { config, log, metrics, clock, rng }: Parts,
  store: Store,
  acks: Acks,
  counters: CounterBook,
  firstZone: string,
): Api {
  const egress = egressRule(config.originsDeny);
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
      acks,
      domain,
      features,
      firstZone,
      defaults,
      egress,
      operator: operator(store, acks, counters),
    },
  });
}

function operator(store: Store, acks: Acks, counters: CounterBook): Operator {
  const faults = new InjectedFaults(Object.keys(ACTIONS));
  return {
    version: VERSION,
    alarms: () => store.alarms ?? [],
    addFault: (fault) => faults.addFault(fault),
    listFaults: () => faults.listFaults(),
    clearFaults: () => faults.clearFaults(),
    takeFault: (action) => faults.takeFault(action),
    placements: (rules) => acks.placements(rules),
    edges: () => acks.edges(),
    dropped: (rule) => counters.droppedOf(rule),
  };
}
