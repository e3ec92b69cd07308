/**
 * An API in this process, over the memory store, with a root key and a clock that stands still until told: what the
 * conformance tests of the wire sit at. `await using desk = await openDesk()`.
 */
import type { AnyAction } from '../../src/api/action.ts';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { ApiSettings, RawReply, RawRequest } from '../../src/api/call.ts';
import { InjectedFaults } from '../../src/api/steps/injected-faults.ts';
import { createApi } from '../../src/api/pipeline.ts';
import type { Surroundings } from '../../src/api/handling/transaction.ts';
import type { KeyPair } from '../../src/domain/account/account.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { egressRule } from '../../src/lib/net/egress.ts';
import { systemRng } from '../../src/lib/rng.ts';
import { createLog } from '../../src/observe/log.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { keys } from '../../src/store/records.ts';
import { openStore } from '../../src/store/registry.ts';
import type { Store } from '../../src/store/store.ts';
import { type Identity, tc3, type Tc3Signing } from './sign.ts';

export const ROOT: Identity = { secretId: 'AKIDEXAMPLE', secretKey: 'SKEXAMPLE' };
export const ACCOUNT = '100000000001';
/** The moment of the signature vectors. */
export const T0 = 1_700_000_000;

export interface Reply {
  readonly RequestId: string;
  readonly Error?: { readonly Code: string; readonly Message: string };
  readonly [field: string]: unknown;
}

export interface Desk extends AsyncDisposable {
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: readonly string[];
  /** What the API asked its clock to wait, in ms; waits take no time here. */
  readonly slept: readonly number[];
  /** Moves both clocks. */
  advance(ms: number): void;
  /** Unix seconds, as the API sees them. */
  now(): number;
  send(raw: RawRequest): Promise<RawReply>;
  /** The refusal of a call whose body is still to come. */
  foresee(raw: RawRequest): Promise<RawReply | undefined>;
  /** The reply to what the listener could not take as a call. */
  refuse(raw: RawRequest, fault: Fault): RawReply;
  /** Signed with TC3 as `who` (default root); resolves with what is inside `Response`. */
  call(action: string, payload: unknown, who?: Identity, how?: Partial<Tc3Signing>): Promise<Reply>;
  putKey(pair: Partial<KeyPair> & Identity): Promise<void>;
}

export interface DeskOptions {
  readonly actions?: Readonly<Record<string, AnyAction>>;
  readonly settings?: Partial<ApiSettings>;
  readonly around?: Partial<Surroundings>;
  /** Stands in for parts of the store. */
  readonly store?: (store: Store) => Store;
}

export async function openDesk(options: DeskOptions = {}): Promise<Desk> {
  let ahead = 0;
  const slept: number[] = [];
  const clock: Clock = {
    ...systemClock,
    now: () => T0 * 1000 + ahead,
    monotonic: () => ahead,
    async sleep(ms) {
      slept.push(ms);
    },
  };
  const log: string[] = [];
  const inner = await openStore('memory:', {
    clock: systemClock,
    log: createLog({ level: 'error', format: 'text', clock, write: (line) => log.push(line) }),
  });
  const store = options.store?.(inner) ?? inner;
  const actions = { ...ACTIONS, ...options.actions };
  const metrics = createMetrics();
  const around: Surroundings = {
    clock,
    rng: systemRng,
    facts: {
      acks: { applied: () => Infinity, failures: () => [], placements: () => [], edges: () => [] },
      counters: { dropped: () => ({}) },
      health: { reported: () => [] },
      origins: { find: () => [] },
    },
    domain: 'edgefour.test',
    features: [],
    egress: egressRule([]),
    firstZone: '',
    defaults: 'shown',
    faults: new InjectedFaults(Object.keys(actions)),
    version: 'test',
    alarms: () => [],
    ...options.around,
  };
  const api = createApi({
    store,
    around,
    actions,
    metrics,
    log: createLog({ level: 'debug', format: 'json', clock, write: (line) => log.push(line) }),
    settings: { ratePerSecond: 0, unknownFields: 'refuse', ...options.settings },
  });
  const desk: Desk = {
    store,
    metrics,
    log,
    slept,
    advance: (ms) => (ahead += ms),
    now: () => Math.floor(around.clock.now() / 1000),
    send: (raw) => api.handle(raw),
    foresee: (raw) => api.foresee(raw),
    refuse: (raw, fault) => api.refuse(raw, fault),
    async call(action, payload, who = ROOT, how = {}) {
      const reply = await api.handle(tc3(who, action, payload, { timestamp: desk.now(), ...how }));
      return (JSON.parse(reply.body) as { Response: Reply }).Response;
    },
    async putKey(pair) {
      const value: KeyPair = { account: ACCOUNT, user: 'root', policies: [], createdAt: 0, ...pair };
      await store.commit([{ key: keys.keyPair(pair.secretId), value }], []);
    },
    [Symbol.asyncDispose]: () => inner.close(),
  };
  await desk.putKey(ROOT);
  return desk;
}
