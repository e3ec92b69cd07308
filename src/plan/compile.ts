/**
 * One instance's record → what an edge of one site does for it. Pure. Records come from a control plane that may be
 * newer or wrong, so each rule is read on its own: one that makes no sense ends up in `failures`, its neighbours go on.
 * planner.ts keeps a whole plan up to date with it.
 */
import { AREAS, type L4Proxy } from '../domain/l4-proxy/l4-proxy.ts';
import type { L4Rule, RuleOptions } from '../domain/l4-rule/l4-rule.ts';
import { type Limits, limitsOf } from '../domain/limit/limit.ts';
import { MODES, modeServes, PROTOCOLS } from '../domain/l4-rule/modes.ts';
import { careOf, DEFAULT_DRAIN } from '../domain/l4-rule/options.ts';
import type { Zone } from '../domain/zone/zone.ts';
import { parsePortSpan, type PortSpan, spanSize } from '../lib/net/ports.ts';
import { keys } from '../store/records.ts';
import { failoverOf, type Look, originsOf } from './origins.ts';
import type { PlannedOptions, PlannedRule } from './plan.ts';

export interface PlanSite {
  readonly id: string;
  /** Connection records where a rule does not say. */
  readonly records: NonNullable<RuleOptions['records']>;
}

export interface CompiledProxy {
  /** The instance's id; the record's key where it has none. */
  readonly id: string;
  readonly rules: readonly PlannedRule[];
  /** Rule or instance id → why. */
  readonly failures: ReadonlyMap<string, string>;
}

const IDLE_SECONDS = { TCP: 600, UDP: 120 } as const;
const CONNECT_TIMEOUT_MS = 5_000;
const PERSIST_SECONDS = 3_600;

export function compileProxy(key: string, value: unknown, site: PlanSite, look: Look): CompiledProxy {
  const failures = new Map<string, string>();
  const rules: PlannedRule[] = [];
  const id = idOf(value) ?? key;
  try {
    const proxy = readProxy(value);
    const state = whereabouts(proxy, site, look);
    if (state.kind === 'off') return { id, rules, failures };
    if (state.kind === 'failed') failures.set(id, state.reason);
    for (const rule of proxy.rules) {
      const planned = state.kind === 'failed' ? state.reason : attempt(proxy, rule, state.entries, site, look);
      if (typeof planned === 'object') rules.push(planned);
      else if (planned !== undefined) failures.set(idOf(rule) ?? id, planned);
    }
  } catch (error) {
    failures.set(id, `its record cannot be read: ${(error as Error).message}`);
  }
  return { id, rules, failures };
}

type Whereabouts =
  | { readonly kind: 'off' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'here'; readonly entries: readonly string[] };

/** Whether the instance forwards at this site, and on which addresses. */
function whereabouts(proxy: L4Proxy, site: PlanSite, look: Look): Whereabouts {
  const zone = look(keys.zone(proxy.zone)) as Zone | undefined;
  const { v4, v6 } = proxy.entries[site.id] ?? {};
  const entries = [v4, v6].filter((address) => address !== undefined);
  if (proxy.want === 'offline' || proxy.banned || zone?.paused === true) return { kind: 'off' };
  // It was never given a place here, as at a site that is younger than it; elsewhere it goes on.
  const isElsewhere = Object.values(proxy.entries).some((at) => at.v4 ?? at.v6);
  if (entries.length === 0 && isElsewhere) return { kind: 'off' };
  if (!zone) return { kind: 'failed', reason: `zone ${proxy.zone} does not exist` };
  if (entries.length === 0) return { kind: 'failed', reason: 'it has no entry address at any site' };
  return { kind: 'here', entries };
}

type Entries = readonly string[];

/** The planned rule, why there is none, or undefined where it is switched off. */
function attempt(
  proxy: L4Proxy,
  rule: L4Rule,
  entries: Entries,
  site: PlanSite,
  look: Look,
): PlannedRule | string | undefined {
  try {
    return rule.want === 'offline' ? undefined : compileRule(proxy, rule, entries, site, look);
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`;
  }
}

function compileRule(proxy: L4Proxy, rule: L4Rule, entries: Entries, site: PlanSite, look: Look): PlannedRule | string {
  if (typeof rule.id !== 'string' || rule.id === '') return 'it has no id';
  const { protocol, mode = 'OFF' } = rule;
  if (!PROTOCOLS.includes(protocol)) return `protocol ${protocol} is not known to this edge`;
  if (!Object.hasOwn(MODES, mode)) return `client address mode ${mode} is not known to this edge`;
  if (!modeServes(mode, protocol)) return `client address mode ${mode} does not exist for ${protocol}`;
  const ports = rule.portRange.map((text) => parsePortSpan(text));
  const originPorts = parsePortSpan(rule.originPortRange);
  if (ports.length === 0) return 'it has no ports';
  if (!ports.every(isSpan)) return `its ports ${rule.portRange.join(',')} cannot be read`;
  if (!originPorts) return `its origin port ${rule.originPortRange} cannot be read`;
  const width = ports.reduce((sum, span) => sum + spanSize(span), 0);
  const originWidth = spanSize(originPorts);
  if (originWidth !== 1 && originWidth !== width) return `${width} ports cannot map to ${originWidth} origin ports`;
  const origins = originsOf(rule, proxy.zone, look);
  if (typeof origins === 'string') return origins;
  const persistSeconds = rule.sessionPersist === 'on' ? rule.sessionPersistTime || PERSIST_SECONDS : 0;
  const options = optionsOf(rule, site);
  const id = rule.id;
  const planned = {
    id,
    zone: proxy.zone,
    proxy: proxy.id,
    protocol,
    entries,
    ports,
    origins,
    originPorts,
    mode,
    persistSeconds,
    failover: failoverOf(rule, proxy.zone, look),
    options,
    ...plannedLimits(proxy, rule),
  };
  return oddity(planned) ?? planned;
}

/** limit: the kernel's own limits take no more. */
const MOST_OF_A_LIMIT = 1_000_000;

function plannedLimits({ zone, limits: ofInstance }: L4Proxy, { options }: L4Rule): { readonly limits?: Limits } {
  const limits = limitsOf(ofInstance, options?.limits);
  if (!limits) return {};
  const { allow = [], deny = [], ...numbers } = limits;
  if (!Object.values(numbers).every((number) => Number.isInteger(number) && number > 0 && number <= MOST_OF_A_LIMIT))
    throw new TypeError('one of its limits is not a number');
  const list = (name: string): string => keys.addressList(zone, name);
  return { limits: { ...numbers, allow: allow.map(list), deny: deny.map(list) } };
}

/** Types alone do not hold for records that another version wrote, and an engine must never see what it can't take. */
function oddity(rule: PlannedRule): string | undefined {
  const { connectTimeoutMs, idleSeconds, drain, recordOneIn, unhealthy, slowStartSeconds } = rule.options;
  const numbers = [connectTimeoutMs, idleSeconds, drain.seconds, recordOneIn, rule.persistSeconds, slowStartSeconds];
  if (!rule.entries.every(isFilled)) return 'one of its entry addresses is not a text';
  if (!rule.origins.every(({ host }) => isFilled(host))) return 'one of its origins has no address';
  if (!rule.origins.every(({ weight }) => isAmount(weight))) return 'one of its origins has a weight that is no number';
  if (!numbers.every(isAmount)) return 'one of its times is not a number';
  if (!DRAINS.has(drain.how)) return `drain ${drain.how} is not known to this edge`;
  if (!DRAINS.has(unhealthy)) return `unhealthy ${unhealthy} is not known to this edge`;
  return undefined;
}

const DRAINS = new Set<string>(['keep', 'drain', 'reset']);
const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isAmount = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0;

function optionsOf(rule: L4Rule, site: PlanSite): PlannedOptions {
  const options = rule.options ?? {};
  const records = options.records ?? site.records;
  return {
    connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    idleSeconds: options.idleSeconds ?? IDLE_SECONDS[rule.protocol],
    drain: options.drain ?? DEFAULT_DRAIN,
    ...(options.udpHeader === 'each' && { udpHeader: options.udpHeader }),
    recordOneIn: records === 'all' ? 1 : records === 'off' ? 0 : records,
    ...careOf(options),
  };
}

/** Just as much as the rest of this file relies on; each rule is looked at on its own. */
function readProxy(value: unknown): L4Proxy {
  const proxy = value as L4Proxy;
  if (typeof proxy !== 'object' || proxy === null) throw new TypeError('not an object');
  if (typeof proxy.id !== 'string' || typeof proxy.zone !== 'string') throw new TypeError('no id or no zone');
  if (!AREAS.includes(proxy.area)) throw new TypeError(`area ${proxy.area}`);
  if (typeof proxy.entries !== 'object' || proxy.entries === null) throw new TypeError('no entries');
  if (!Array.isArray(proxy.rules)) throw new TypeError('no list of rules');
  return proxy;
}

function isSpan(span: PortSpan | undefined): span is PortSpan {
  return span !== undefined;
}

function idOf(value: unknown): string | undefined {
  const id = (value as { id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' && id !== '' ? id : undefined;
}
