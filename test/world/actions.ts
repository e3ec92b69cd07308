/**
 * A world of actions without sockets: the pipeline's own steps from the field check on, over a memory store, with edges
 * that say what the test tells them to. For the tests of handlers; who signs and how is test/conformance's business.
 */
import type { AnyAction } from '../../src/api/action.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import { type ApiContext, Call, type RawRequest } from '../../src/api/call.ts';
import { checkRequest } from '../../src/api/steps/check-request.ts';
import { inject, InjectedFaults } from '../../src/api/steps/injected-faults.ts';
import { Limiter } from '../../src/api/limiter.ts';
import { run } from '../../src/api/steps/run.ts';
import type { Caller, Surroundings } from '../../src/api/handling/transaction.ts';
import { Turns } from '../../src/api/handling/turns.ts';
import type { SiteHealth } from '../../src/domain/load-balancer/health.ts';
import type { Site } from '../../src/domain/site/site.ts';
import type { Plan, Zone } from '../../src/domain/zone/zone.ts';
import type { FaultCode } from '../../src/faults/catalogue.ts';
import type { EdgeFact, FoundOrigin, Placement } from '../../src/facts/readers.ts';
import { Fault } from '../../src/faults/fault.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { egressRule } from '../../src/lib/net/egress.ts';
import { seededRng } from '../../src/lib/rng.ts';
import { silentLog } from '../../src/observe/log.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import type { Infer } from '../../src/shape/shape.ts';
import { openMemory } from '../../src/store/memory/memory.ts';
import { type Key, keys, stamped } from '../../src/store/records.ts';

type Actions = typeof ACTIONS;
export type Name = keyof Actions;
export type RequestOf<N extends Name> = Infer<Actions[N]['request']>;
type ResponseOf<N extends Name> = Infer<Actions[N]['response']>;

export const ROOT: Caller = { account: 'account-1', user: 'root', secretId: 'AKIDroot' };
export const STRANGER: Caller = { account: 'account-2', user: 'root', secretId: 'AKIDstranger' };
export const ZONE = 'zone-3kq782jghthh';
const DAY = 86_400_000;

export interface WorldOptions {
  readonly sites?: readonly Site[];
  readonly features?: readonly string[];
  readonly defaults?: Surroundings['defaults'];
  readonly zone?: Partial<Zone>;
  readonly plan?: Partial<Plan>;
}

export type ActionWorld = Awaited<ReturnType<typeof actionWorld>>;

export async function actionWorld(options: WorldOptions = {}) {
  /** What the edges say; a test changes it at will. By default they have applied everything at once. */
  const edges = {
    applied: Infinity,
    failures: new Map<string, readonly string[]>(),
    placements: [] as Placement[],
    facts: [] as EdgeFact[],
    /** By `owner group host`. */
    health: new Map<string, readonly SiteHealth[]>(),
    origins: [] as FoundOrigin[],
  };
  const store = openMemory({ clock: systemClock, log: silentLog });
  const around: Surroundings = {
    clock: systemClock,
    rng: seededRng(7),
    facts: {
      acks: {
        applied: () => edges.applied,
        failures: (id) => edges.failures.get(id) ?? [],
        placements: (ids) => edges.placements.filter(({ rule }) => ids.includes(rule)),
        edges: () => edges.facts,
      },
      counters: { dropped: () => ({}) },
      health: { reported: (owner, group, host) => edges.health.get(`${owner} ${group} ${host}`) ?? [] },
      origins: {
        find: ({ zone, host } = {}) =>
          edges.origins.filter(({ origin }) => origin.zone === zone && (host ?? origin.host) === origin.host),
      },
    },
    domain: 'edgefour.test',
    features: options.features ?? [],
    egress: egressRule(['169.254.0.0/16', 'fe80::/10']),
    firstZone: ZONE,
    defaults: options.defaults ?? 'shown',
    faults: new InjectedFaults(Object.keys(ACTIONS)),
    version: 'test',
    alarms: () => [],
  };
  const api: ApiContext = {
    store,
    around,
    actions: ACTIONS,
    log: silentLog,
    metrics: createMetrics(),
    settings: { ratePerSecond: 0, unknownFields: 'refuse' },
    limiter: new Limiter(0, systemClock),
    turns: new Turns(),
  };

  async function call<N extends Name>(name: N, request: RequestOf<N>, caller = ROOT): Promise<ResponseOf<N>> {
    const call = new Call({} as RawRequest, 'request-1');
    const message = { parameters: () => ({ input: structuredClone(request), text: false }) };
    const action: AnyAction = ACTIONS[name];
    Object.assign(call, { caller, actionName: name, action, message });
    checkRequest(call, api);
    await inject(call, api);
    await run(call, api);
    return call.response as ResponseOf<N>;
  }

  /** The fault a call ends in; a call that goes through is an error of the test. */
  async function refusal<N extends Name>(name: N, request: RequestOf<N>, caller = ROOT): Promise<Fault> {
    const outcome: unknown = await call(name, request, caller).catch((error: unknown) => error);
    if (outcome instanceof Fault) return outcome;
    if (outcome instanceof Error) throw outcome;
    throw new Error(`${name} was not refused: ${JSON.stringify(outcome)}`);
  }

  async function read<T>(key: Key<T>): Promise<T | undefined> {
    const stored = await store.read((view) => view.get(key));
    return stored && stamped<T>(stored);
  }

  async function write<T>(key: Key<T>, value: T | undefined): Promise<void> {
    await store.commit([{ key, value }], []);
  }

  const zone = { ...newZone(ZONE, 'edgeone-000000000001'), ...options.zone };
  const plan = { ...newPlan('edgeone-000000000001'), ...options.plan };
  const sites = options.sites ?? [newSite('here', ['127.44.0.0/16'])];
  await store.commit(
    [
      { key: keys.account(ROOT.account), value: { id: ROOT.account, appId: 1, features: [] } },
      { key: keys.account(STRANGER.account), value: { id: STRANGER.account, appId: 2, features: [] } },
      { key: keys.plan(plan.id), value: plan },
      { key: keys.zone(zone.id), value: zone },
      ...sites.map((site) => ({ key: keys.site(site.id), value: site })),
    ],
    [],
  );
  return {
    edges,
    around,
    store,
    call,
    refusal,
    /** Only the code: what most tests look at. */
    refusedWith: async <N extends Name>(name: N, request: RequestOf<N>, caller = ROOT): Promise<FaultCode> =>
      (await refusal(name, request, caller)).code,
    read,
    write,
    revision: () => store.read((view) => view.revision),
    keysUnder: (prefix: string) => store.read((view) => view.list(prefix).map(({ key }) => key)),
    pauseZone: async (paused: boolean) => {
      const zone = await read(keys.zone(ZONE));
      if (zone) await write(keys.zone(ZONE), { ...zone, paused, changed: 0 });
    },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

export function newSite(id: string, pool: readonly string[], areas: Site['areas'] = ['mainland', 'overseas']): Site {
  return { id, pool, areas };
}

export function newZone(id: string, planId: string): Zone {
  return {
    id,
    account: ROOT.account,
    name: '',
    alias: '',
    type: 'noDomainAccess',
    area: '',
    paused: false,
    changed: 0,
    planId,
    tags: [],
    vanityNameServers: { enabled: false, servers: [] },
    createdAt: systemClock.now(),
    modifiedAt: systemClock.now(),
  };
}

export function newPlan(id: string): Plan {
  const now = systemClock.now();
  return {
    id,
    account: ROOT.account,
    type: 'plan-enterprise',
    area: 'global',
    status: 'normal',
    autoRenewal: true,
    enabledAt: now,
    expiresAt: now + DAY,
  };
}
