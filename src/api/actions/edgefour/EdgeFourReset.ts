import { THIS_WRITE } from '../../../domain/stamp.ts';
import type { Zone } from '../../../domain/zone/zone.ts';
import { unsigned } from '../../../shape/shape.ts';
import { type Key, keys } from '../../../store/records.ts';
import { action } from '../../action.ts';

/** All that a first start does not make, or makes once: what is to stay of it is named in the handler. */
const CLEARED = [
  keys.allProxies(),
  keys.proxyPlaces(),
  keys.allAddresses(),
  keys.allOriginGroups(),
  keys.allLoadBalancers(),
  keys.allPolicies(),
  keys.keyPairs(),
  keys.zones(),
  keys.plans(),
  keys.accounts(),
];

export const EdgeFourReset = action({
  summary: 'Go back to the state of the first start. The first zone and its plan, the root key, sites and edges stay.',
  access: 'write',
  service: 'edgefour',
  request: {},
  response: { Deleted: unsigned('How many records went.') },
  errors: ['OperationDenied'],
  example: { title: 'Start over', request: {}, response: { Deleted: 42 } },
  handle(tx) {
    const zones = tx.list(keys.zones()).map(({ value }) => value);
    const first = zones.sort((a, b) => a.createdAt - b.createdAt)[0];
    const owner = first?.account ?? tx.caller.account;
    if (owner !== tx.caller.account)
      throw tx.refuse('OperationDenied', 'Only the account that owns the first zone can reset the world.');
    const rootKey = tx.get(keys.account(owner))?.rootKey ?? tx.caller.secretId;
    const kept = new Set<string>([keys.account(owner), keys.keyPair(rootKey)]);
    if (first) kept.add(keys.zone(first.id)).add(keys.plan(first.planId ?? ''));
    const goes = CLEARED.flatMap((prefix) => tx.list<unknown>(prefix)).filter(({ key }) => !kept.has(key));
    for (const { key } of goes) tx.delete(key as Key<unknown>);
    if (first) tx.put(keys.zone(first.id), asAtFirst(first));
    return { Deleted: goes.length };
  },
});

function asAtFirst(zone: Zone): Zone {
  return {
    ...zone,
    name: '',
    alias: '',
    type: 'noDomainAccess',
    area: '',
    tags: [],
    vanityNameServers: { enabled: false, servers: [] },
    paused: false,
    changed: zone.paused ? THIS_WRITE : zone.changed,
  };
}
