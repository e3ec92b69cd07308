/**
 * A plan that follows the records: changing one record compiles only the instances that use it, and says which rules
 * differ from before. Pure; the agent owns one and hands the differences to reconcile.ts.
 */
import { keys } from '../store/records.ts';
import { compileProxy, type CompiledProxy, type PlanSite } from './compile.ts';
import { poolOf } from './origins.ts';
import type { EdgePlan, PlannedPool, PlannedRule } from './plan.ts';

export interface PlanRecord {
  readonly key: string;
  /** `null` means deleted. */
  readonly value: unknown;
}

/** The steps from the rules before to these. */
export interface RuleDelta {
  readonly put: readonly PlannedRule[];
  readonly drop: readonly string[];
}

/** The steps from the previous plan to this one. */
export interface PlanDelta extends RuleDelta {
  /** Pools that are different now; undefined: it is no more. */
  readonly pools: ReadonlyMap<string, PlannedPool | undefined>;
}

interface Compiled extends CompiledProxy {
  readonly uses: ReadonlySet<string>;
  readonly pool: PlannedPool | undefined;
}

const PROXIES = keys.allProxies();
/** Records that something is planned for; the others are looked at by these. */
const PLANNED = [PROXIES, keys.allOriginGroups(), keys.allLoadBalancers()];

export class Planner {
  readonly #site: PlanSite;
  readonly #read: (key: string) => unknown;
  readonly #rules = new Map<string, PlannedRule>();
  readonly #failures = new Map<string, string>();
  readonly #pools = new Map<string, PlannedPool>();
  readonly #compiled = new Map<string, Compiled>();
  /** Key of a zone, group or load balancer → keys of the records that looked at it. */
  readonly #users = new Map<string, Set<string>>();
  /** The parts of a used record that matter, as compiled; a change of anything else in it compiles nothing. */
  readonly #facets = new Map<string, string>();

  /** `read` gives the value of a record as it is now, or undefined. */
  constructor(site: PlanSite, read: (key: string) => unknown) {
    this.#site = site;
    this.#read = read;
  }

  get plan(): EdgePlan {
    return { rules: this.#rules, failures: this.#failures, pools: this.#pools };
  }

  /** Everything may be different; `all` are the keys that exist. */
  reset(all: Iterable<string>): PlanDelta {
    const dirty = new Set(this.#compiled.keys());
    for (const key of all) if (isPlanned(key)) dirty.add(key);
    return this.#compile(dirty);
  }

  /** These keys were written or deleted; `read` already shows them. */
  change(changed: Iterable<string>): PlanDelta {
    const dirty = new Set<string>();
    for (const key of changed) {
      if (isPlanned(key)) dirty.add(key);
      if (this.#users.has(key) && facet(key, this.#read(key)) !== this.#facets.get(key))
        for (const user of this.#users.get(key) ?? []) dirty.add(user);
    }
    return this.#compile(dirty);
  }

  #compile(dirty: ReadonlySet<string>): PlanDelta {
    const before = new Map<string, PlannedRule>();
    const poolsBefore = new Map<string, PlannedPool>();
    // order: all go before any comes, so that a rule that moved between instances is not taken for a duplicate.
    for (const key of dirty) this.#forget(key, before, poolsBefore);
    for (const key of dirty) this.#add(key);
    const pools = new Map<string, PlannedPool | undefined>([...poolsBefore.keys()].map((owner) => [owner, undefined]));
    const put: PlannedRule[] = [];
    for (const key of dirty) {
      const { rules = [], pool } = this.#compiled.get(key) ?? {};
      for (const rule of rules) {
        const old = before.get(rule.id);
        before.delete(rule.id);
        if (!old || !isSame(old, rule)) put.push(rule);
      }
      if (!pool) continue;
      const { owner } = pool.check;
      if (isSame(poolsBefore.get(owner), pool)) pools.delete(owner);
      else pools.set(owner, pool);
    }
    return { put, drop: [...before.keys()], pools };
  }

  #forget(key: string, before: Map<string, PlannedRule>, poolsBefore: Map<string, PlannedPool>): void {
    const compiled = this.#compiled.get(key);
    if (!compiled) return;
    this.#compiled.delete(key);
    for (const { id } of compiled.rules) {
      const rule = this.#rules.get(id);
      if (rule) before.set(id, rule);
      this.#rules.delete(id);
    }
    for (const id of compiled.failures.keys()) this.#failures.delete(id);
    if (compiled.pool) {
      poolsBefore.set(compiled.pool.check.owner, compiled.pool);
      this.#pools.delete(compiled.pool.check.owner);
    }
    for (const used of compiled.uses) {
      const users = this.#users.get(used);
      users?.delete(key);
      if (users?.size !== 0) continue;
      this.#users.delete(used);
      this.#facets.delete(used);
    }
  }

  #add(key: string): void {
    const value = this.#read(key);
    if (value === undefined) return;
    const uses = new Set<string>();
    const look = (used: string): unknown => {
      uses.add(used);
      return this.#read(used);
    };
    const isProxy = key.startsWith(PROXIES);
    const { id, rules, failures } = isProxy ? compileProxy(key, value, this.#site, look) : NO_PROXY;
    const pool = isProxy ? undefined : poolOf(value, look);
    if (pool) this.#pools.set(pool.check.owner, pool);
    const own: PlannedRule[] = [];
    const failed = new Map(failures);
    for (const rule of rules) {
      if (this.#rules.has(rule.id)) failed.set(id, `rule id ${rule.id} is used twice`);
      else {
        own.push(rule);
        this.#rules.set(rule.id, rule);
      }
    }
    for (const [id, reason] of failed) this.#failures.set(id, reason);
    for (const used of uses) {
      const users = this.#users.get(used);
      if (users) users.add(key);
      else {
        this.#users.set(used, new Set([key]));
        this.#facets.set(used, facet(used, this.#read(used)));
      }
    }
    this.#compiled.set(key, { id, rules: own, failures: failed, uses, pool });
  }
}

const NO_PROXY: CompiledProxy = { id: '', rules: [], failures: new Map() };

const isPlanned = (key: string): boolean => PLANNED.some((prefix) => key.startsWith(prefix));

/** A plan of everything at once. */
export function compilePlan(records: Iterable<PlanRecord>, site: PlanSite): EdgePlan {
  const world = new Map<string, unknown>();
  for (const { key, value } of records) world.set(key, value);
  const planner = new Planner(site, (key) => world.get(key));
  planner.reset(world.keys());
  return planner.plan;
}

/** A zone with 100,000 instances changes its tags without compiling one of them. */
function facet(key: string, value: unknown): string {
  const record = value as { readonly paused?: unknown } | null | undefined;
  if (!record) return '';
  if (key.startsWith(keys.zones())) return `zone ${JSON.stringify(record.paused)}`;
  return JSON.stringify(record);
}

/** Both come from this file's compilers, so equal ones have their fields in the same order. */
function isSame(a: object | undefined, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
