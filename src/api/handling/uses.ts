/**
 * Who uses an origin group or a load balancer: the call that makes a use writes the index in the same commit, and it is asked
 * before a group or balancer goes or changes (docs/decisions/uses.md). Called by handlers of rules, instances, balancers and groups.
 */
import type { LoadBalancer } from '../../domain/load-balancer/load-balancer.ts';
import type { L4Proxy } from '../../domain/l4-proxy/l4-proxy.ts';
import { namedOrigins } from '../../domain/l4-rule/origins.ts';
import type { Use } from '../../domain/origin-group/use.ts';
import { keys } from '../../store/records.ts';
import type { Tx } from './transaction.ts';

type Writes = Pick<Tx, 'get' | 'put' | 'delete'>;
type Reads = Pick<Tx, 'get' | 'peek' | 'list'>;

/** The instance's rules as they were and as they will be. */
export function keepProxyUses(tx: Writes, before: L4Proxy, rules: L4Proxy['rules']): void {
  const { id, name } = before;
  keepUses(tx, { kind: 'l4-proxy', id, name }, namedOrigins(before.rules), namedOrigins(rules));
}

export function keepUses(tx: Writes, user: Use, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
  for (const used of before) if (!after.has(used)) tx.delete(keys.use(used, user.id));
  for (const used of after)
    if (!before.has(used)) {
      tx.put(keys.use(used, user.id), user);
      tx.put(keys.lastUse(used), { by: user.id });
    }
}

/** All users as of now; of a use that another call makes meanwhile, the guard on the last one tells. */
export function usersOf(tx: Reads, used: string): readonly Use[] {
  tx.get(keys.lastUse(used));
  return tx.list(keys.uses(used)).map(({ value }) => value);
}

/** The users under their names, as lists show them. */
export function referrersOf(tx: Reads, zone: string, used: string) {
  return usersOf(tx, used).map((user) =>
    user.kind === 'l4-proxy'
      ? { type: 'application-proxy' as const, id: user.id, name: user.name }
      : { type: 'load-balancer' as const, id: user.id, name: tx.peek(keys.loadBalancer(zone, user.id))?.name ?? '' },
  );
}

export interface GroupUsers {
  readonly balancers: readonly LoadBalancer[];
  /** With rules on the group, or on one of these balancers; each once. */
  readonly proxies: readonly L4Proxy[];
}

export function groupUsersOf(tx: Reads, zone: string, group: string): GroupUsers {
  const users = usersOf(tx, group);
  const balancers = users.flatMap(({ kind, id }) =>
    kind === 'load-balancer' ? (tx.get(keys.loadBalancer(zone, id)) ?? []) : [],
  );
  return { balancers, proxies: proxiesOf(tx, zone, [...users, ...balancers.flatMap(({ id }) => usersOf(tx, id))]) };
}

/** The instances with rules on a load balancer. */
export function proxiesOn(tx: Reads, zone: string, balancer: string): readonly L4Proxy[] {
  return proxiesOf(tx, zone, usersOf(tx, balancer));
}

/** The instances among the users. */
function proxiesOf(tx: Reads, zone: string, users: readonly Use[]): readonly L4Proxy[] {
  const names = new Set(users.flatMap((user) => (user.kind === 'l4-proxy' ? user.name : [])));
  return [...names].flatMap((name) => tx.peek(keys.proxy(zone, name)) ?? []);
}
