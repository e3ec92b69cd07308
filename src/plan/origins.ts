/**
 * Where a rule's traffic may go: `OriginType` and `OriginValue` turned into origins with weights and tiers, through the
 * origin groups and load balancers they name. Pure; what can't be followed is answered as one line of text.
 */
import type { L4Rule } from '../domain/l4-rule/l4-rule.ts';
import type { LoadBalancer } from '../domain/load-balancer/load-balancer.ts';
import type { OriginGroup, OriginRecord } from '../domain/origin-group/origin-group.ts';
import { SET_STATES, type SetOriginState } from '../domain/origin-group/origin-state.ts';
import { keys } from '../store/records.ts';
import type { Mode } from '../domain/l4-rule/modes.ts';
import { type Asking, checkerOf, firstAsking } from '../domain/load-balancer/checker.ts';
import type { PlannedCheck, PlannedOrigin, PlannedPool } from './plan.ts';

/** The value of a record, or undefined; the compiler notes which keys were asked for. */
export type Look = (key: string) => unknown;

/** Not empty; or why there are none. */
export function originsOf(rule: L4Rule, zone: string, look: Look): readonly PlannedOrigin[] | string {
  const { id, checker, mode, originType, originValue } = rule;
  const asking = [{ owner: id, checker }];
  switch (originType) {
    case 'IP_DOMAIN': {
      if (originValue.length === 0) return 'it names no origin';
      const check = checkOf(asking, mode);
      return originValue.map((host) => ({ host, weight: 1, tier: 0, ...check, ...overrideOf(zone, host, look) }));
    }
    case 'ORIGIN_GROUP':
      return groupOrigins(zone, originValue[0] ?? '', 0, { asking, mode, look });
    case 'LB':
      return balancedOrigins(zone, originValue[0] ?? '', { asking, mode, look });
    default:
      return `origin type ${String(originType satisfies never)} is not known to this edge`;
  }
}

/** What a failed dial tries next: OtherOriginGroup, or the cloud's default. */
export function failoverOf({ originType, originValue }: L4Rule, zone: string, look: Look): 'tier' | 'origin' {
  if (originType !== 'LB') return 'origin';
  const balancer = look(keys.loadBalancer(zone, originValue[0] ?? '')) as LoadBalancer | undefined;
  return balancer?.failover === 'OtherOriginGroup' ? 'tier' : 'origin';
}

/** The origins that a balancer or a group has checked; undefined where it asks for no check, or can't be read. */
export function poolOf(value: unknown, look: Look): PlannedPool | undefined {
  try {
    const { id, zone, checker, ...record } = value as LoadBalancer | OriginGroup;
    const check = checkOf([{ owner: id, checker }]).check;
    if (!check) return undefined;
    const groups = 'groups' in record ? [...new Set(record.groups.map(({ group }) => group))] : [id];
    const origins = groups.flatMap((group) => {
      const { records = [] } = (look(keys.originGroup(zone, group)) ?? {}) as Partial<OriginGroup>;
      return records.filter(({ type }) => type === 'IP_DOMAIN').map(({ host }) => ({ host, group }));
    });
    return { check, origins };
  } catch {
    // A record of another form is a failure of the rules that use it; alone it is nobody's.
    return undefined;
  }
}

interface Following {
  readonly asking: readonly Asking[];
  readonly mode: Mode | undefined;
  readonly look: Look;
}

function balancedOrigins(zone: string, id: string, following: Following): readonly PlannedOrigin[] | string {
  const { asking, mode, look } = following;
  const balancer = look(keys.loadBalancer(zone, id)) as LoadBalancer | undefined;
  if (!balancer) return `load balancer ${id} does not exist`;
  if (balancer.groups.length === 0) return `load balancer ${id} has no origin groups`;
  const origins: PlannedOrigin[] = [];
  const ordered = balancer.groups.toSorted((a, b) => a.priority - b.priority);
  const inside = { asking: [...asking, { owner: id, checker: balancer.checker }], mode, look };
  // A group at two priorities counts at the higher one.
  for (const [tier, group] of [...new Set(ordered.map(({ group }) => group))].entries()) {
    const members = groupOrigins(zone, group, tier, inside);
    if (typeof members === 'string') return `load balancer ${id}: ${members}`;
    origins.push(...members);
  }
  return origins;
}

function groupOrigins(zone: string, id: string, tier: number, following: Following): readonly PlannedOrigin[] | string {
  const { asking, mode, look } = following;
  const group = look(keys.originGroup(zone, id)) as OriginGroup | undefined;
  if (!group) return `origin group ${id} does not exist`;
  if (group.type === 'HTTP') return `origin group ${id} is of type HTTP, which L4 rules cannot use`;
  if (group.records.length === 0) return `origin group ${id} has no origins`;
  const odd = group.records.find((record) => record.type !== 'IP_DOMAIN');
  if (odd) return `origin group ${id}: ${odd.host} is object storage, which L4 rules cannot use`;
  const weights = weigh(group.records);
  const check = checkOf([...asking, { owner: id, checker: group.checker }], mode);
  return group.records.map(({ host }, i) => {
    const place = { host, weight: weights[i] ?? 0, tier, group: id };
    return { ...place, ...check, ...overrideOf(zone, host, look) };
  });
}

/** A word that this edge can't read is none: traffic goes on as if nothing had been said. What is no host fails by itself. */
function overrideOf(zone: string, host: unknown, look: Look): Pick<PlannedOrigin, 'override'> {
  if (typeof host !== 'string') return {};
  const { state, until } = (look(keys.originState(zone, host)) ?? {}) as Partial<SetOriginState>;
  if (!state || !SET_STATES.includes(state) || !(until === undefined || Number.isFinite(until))) return {};
  return { override: { state, ...(until !== undefined && { until }) } };
}

function checkOf(asking: readonly Asking[], mode?: Mode): { readonly check?: PlannedCheck } {
  const first = firstAsking(asking);
  const checker = checkerOf(first?.checker, mode === 'PPV1' || mode === 'PPV2' ? mode : undefined);
  if (!first || !checker) return {};
  const { intervalSeconds, timeoutSeconds, rise, fall } = checker;
  if (![intervalSeconds, timeoutSeconds, rise, fall].every((number) => Number.isFinite(number) && number >= 1))
    throw new TypeError('the times of its check make no sense');
  return { check: { owner: first.owner, checker } };
}

/** Weights as given; one that was left out is an equal share of those given; all zero is the same as none given. */
function weigh(records: readonly OriginRecord[]): readonly number[] {
  const given = records.flatMap((record) => record.weight ?? []);
  const sum = given.reduce((total, weight) => total + weight, 0);
  if (sum === 0) return records.map(() => 1);
  const share = Math.max(1, Math.round(sum / given.length));
  return records.map((record) => record.weight ?? share);
}
