import { THIS_WRITE } from '../../../domain/stamp.ts';
import type { Zone } from '../../../domain/zone/zone.ts';
import { unsigned } from '../../../shape/shape.ts';
import { type Key, keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import type { Tx } from '../../handling/transaction.ts';

/** limit: records in one commit; a store on one machine takes 65,536. A bigger world takes several calls. */
const MOST_DELETED = 50_000;

/** Records that a reset deletes; the handler names those of them that stay. */
const CLEARED = [
  keys.allProxies(),
  keys.proxyPlaces(),
  keys.allAddresses(),
  keys.allOriginGroups(),
  keys.originGroupNames(),
  keys.allOriginSecrets(),
  keys.allOriginStates(),
  keys.allLoadBalancers(),
  keys.loadBalancerNames(),
  keys.allUses(),
  keys.allLastUses(),
  keys.allAddressLists(),
  keys.allAddressListParts(),
  keys.allBans(),
  keys.allPolicies(),
  keys.keyPairs(),
  keys.zones(),
  keys.zoneNames(),
  keys.plans(),
  keys.accounts(),
];

export const EdgeFourReset = action({
  summary: 'Go back to the state of the first start. The first zone and its plan, the root key, sites and edges stay.',
  access: 'write',
  touches: 'world',
  service: 'edgefour',
  request: {},
  response: {
    Deleted: unsigned('How many records went, in one commit.'),
    Remaining: unsigned(
      'How many are still to go: call again until it is 0. A world below 50,000 records takes one call.',
    ),
  },
  errors: ['OperationDenied'],
  example: { title: 'Start over', request: {}, response: { Deleted: 42, Remaining: 0 } },
  handle(tx) {
    const zones = tx.list(keys.zones()).map(({ value }) => value);
    const first = zones.sort((a, b) => a.createdAt - b.createdAt)[0];
    const owner = first?.account ?? tx.caller.account;
    if (owner !== tx.caller.account)
      throw tx.refuse('OperationDenied', 'Only the account that owns the first zone can reset the world.');
    const rootKey = tx.get(keys.account(owner))?.rootKey ?? tx.caller.secretId;
    const kept: Key<unknown>[] = [keys.account(owner), keys.keyPair(rootKey)];
    if (first) kept.push(keys.zone(first.id), keys.plan(first.planId ?? ''));
    const goes = deletable(tx, new Set<string>(kept));
    for (const key of goes) tx.delete(key);
    if (first) tx.put(keys.zone(first.id), asAtFirst(first));
    const all = CLEARED.reduce((sum, prefix) => sum + tx.count(prefix), 0);
    const stay = kept.filter((key) => tx.peek(key) !== undefined).length;
    return { Deleted: goes.length, Remaining: all - stay - goes.length };
  },
});

/** As many as one commit takes, instances first: a world that is half gone forwards nothing. */
function deletable(tx: Pick<Tx, 'heads'>, kept: ReadonlySet<string>): Key<unknown>[] {
  const goes: Key<unknown>[] = [];
  for (const prefix of CLEARED) {
    const found = tx.heads<unknown>(prefix, { limit: MOST_DELETED - goes.length + kept.size });
    goes.push(...found.map(({ key }) => key as Key<unknown>).filter((key) => !kept.has(key)));
  }
  return goes.slice(0, MOST_DELETED);
}

function asAtFirst({ enabledAt: _enabledAt, ...zone }: Zone): Zone {
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
