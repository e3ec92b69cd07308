/** What the guard's table shall hold, from the plan and the records of lists and bans. Pure; guard.ts keeps it true. */
import { type AddressListPart, type BanRecord, disjoint, isStanding } from '../../domain/limit/networks.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import { keys } from '../../store/records.ts';
import type { GuardedRule, Networks } from './render.ts';

export interface Desired {
  readonly rules: readonly GuardedRule[];
  readonly networks: Networks;
  /** When the next ban ends; the table is to be looked at again then. */
  readonly nextEnd: number | undefined;
}

/** `records`: the edge's copy of the world. `lists`: what was made of lists before; those that are gone are dropped from it. */
export function desiredOf(
  rules: Iterable<PlannedRule>,
  records: ReadonlyMap<string, { readonly value: unknown }>,
  now: number,
  lists: Map<string, Networks[string]>,
): Desired {
  const bans = bansOf(records, now);
  const guarded = [...rules].flatMap((rule): GuardedRule[] => {
    const banned = bans.has(rule.proxy);
    if (!rule.limits && !banned) return [];
    const { id, proxy, protocol, entries, ports, limits = {} } = rule;
    return [{ id, proxy, protocol, entries, ports, limits, banned }];
  });
  const wanted = new Set(guarded.flatMap(({ limits: { allow = [], deny = [] } }) => [...allow, ...deny]));
  for (const key of lists.keys()) if (!wanted.has(key)) lists.delete(key);
  for (const key of wanted) if (!lists.has(key)) lists.set(key, listOf(key, records));
  const networks = Object.fromEntries(lists);
  for (const [proxy, list] of bans) networks[`ban/${proxy}`] = banned(list);
  const ends = [...bans.values()].flatMap((list) => list.flatMap(({ until }) => until ?? []));
  return { rules: guarded, networks, nextEnd: ends.length === 0 ? undefined : Math.min(...ends) };
}

type Records = ReadonlyMap<string, { readonly value: unknown }>;

function bansOf(records: Records, now: number): ReadonlyMap<string, BanRecord[]> {
  const standing: [string, BanRecord][] = [];
  const prefix = keys.allBans();
  for (const [key, { value }] of records) {
    if (!key.startsWith(prefix)) continue;
    const ban = value as BanRecord;
    if (typeof ban?.network === 'string' && isStanding(ban, now)) standing.push([key.split('/')[1] ?? '', ban]);
  }
  const grouped = Map.groupBy(standing, ([proxy]) => proxy);
  return new Map([...grouped].map(([proxy, list]) => [proxy, list.map(([, ban]) => ban)]));
}

/** Of bans that lie in each other the widest is in force; when it ends, the table is made again and the next one is. */
function banned(list: readonly BanRecord[]): Networks[string] {
  const { v4, v6 } = disjoint(list.map(({ network }) => network));
  const until = new Map(list.map((ban) => [ban.network, ban.until]));
  // The time of the end, not what is left: an element that stays must look the same at each rendering.
  const of = (networks: readonly string[]) => new Map(networks.map((one) => [one, `${until.get(one) ?? ''}`]));
  return { v4: of(v4), v6: of(v6) };
}

function listOf(prefix: string, records: Records): Networks[string] {
  const parts = [...records].filter(([key]) => key.startsWith(prefix)).map(([, { value }]) => value as AddressListPart);
  const { v4, v6 } = disjoint(parts.flatMap(({ networks }) => networks));
  const of = (networks: readonly string[]) => new Map(networks.map((one) => [one, '']));
  return { v4: of(v4), v6: of(v6) };
}
