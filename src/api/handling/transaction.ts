/**
 * A handler's unit of work: typed reads and writes that remember the revisions they saw, so that the commit can be
 * guarded by exactly what the decision was based on. The pipeline makes one per attempt and commits it.
 */
import type { HealthView } from '../../domain/load-balancer/health.ts';
import type { AckReader, CounterReader, OriginReader } from '../../facts/readers.ts';
import type { FaultCode } from '../../faults/catalogue.ts';
import { Fault } from '../../faults/fault.ts';
import type { Clock } from '../../lib/clock.ts';
import type { EgressRule } from '../../lib/net/egress.ts';
import { cloudId, type Rng } from '../../lib/rng.ts';
import { type Key, type Prefix, stamped } from '../../store/records.ts';
import type { Change, Guard, Head, Page, View } from '../../store/store.ts';

/** The caller, after authentication. */
export interface Caller {
  readonly account: string;
  /** `root`, or the user the key pair belongs to. */
  readonly user: string;
  readonly secretId: string;
  /** The program's name for itself (X-TC-RequestClient); '' where it gives none. */
  readonly client?: string;
  /** Whether policies let it see the zone by the action it called. Absent for root, which sees all. */
  readonly sees?: (zone: string) => boolean;
}

/** Whether answers show the default of a field that was not sent (defaults.ts). */
export type Defaults = 'shown' | 'as-sent';

/** Everything that a handler may know beside the records; the composition root makes it once. */
export interface Surroundings {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Reports of edges. */
  readonly facts: HandlerFacts;
  /** CNAMEs are `<ProxyName>.<zone id without "zone-">.<domain>`. */
  readonly domain: string;
  /** The account betas given by EDGEFOUR_FEATURES, on top of the account's own. */
  readonly features: readonly string[];
  /** Which addresses origins may have (EDGEFOUR_ORIGINS_DENY). */
  readonly egress: EgressRule;
  /** Id of the zone that exists from the start. */
  readonly firstZone: string;
  /** Whether answers carry defaults that were not sent (EDGEFOUR_DEFAULTS). */
  readonly defaults: Defaults;
  /** Calls that fail or wait because a test asked for it. */
  readonly faults: FaultsOnDemand;
  /** Of this program. */
  readonly version: string;
  /** Alarms of control itself, one line each. */
  readonly alarms: () => readonly string[];
}

interface HandlerFacts {
  readonly acks: AckReader;
  readonly counters: Pick<CounterReader, 'dropped'>;
  readonly health: HealthView;
  readonly origins: Pick<OriginReader, 'find'>;
}

export interface FaultOnDemand {
  readonly action: string;
  readonly code?: FaultCode;
  readonly times: number;
  readonly delayMs: number;
}

export interface FaultsOnDemand {
  /** Makes the next `times` calls of the action fail with the code, or only wait where the code is absent. */
  add(fault: FaultOnDemand): void;
  list(): FaultOnDemand[];
  clear(): void;
  /** The fault that strikes this call of the action, if any; it is used up by the answer. */
  take(action: string): FaultOnDemand | undefined;
}

interface Found<T> {
  readonly key: string;
  readonly value: T;
}

export class Tx<Code extends FaultCode = FaultCode> {
  readonly caller: Caller;
  readonly around: Surroundings;
  /** Milliseconds since 1970, fixed for the attempt. */
  readonly now: number;
  readonly #view: View;
  readonly #seen = new Map<string, number>();
  readonly #written = new Map<string, unknown>();

  constructor(view: View, caller: Caller, around: Surroundings) {
    this.#view = view;
    this.caller = caller;
    this.around = around;
    this.now = around.clock.now();
  }

  /** The record, as this transaction would leave it; guarded by what was seen. */
  get<T>(key: Key<T>): T | undefined {
    if (this.#written.has(key)) return this.#written.get(key) as T | undefined;
    const stored = this.#view.get(key);
    this.#seen.set(key, stored?.revision ?? 0);
    return stored === undefined ? undefined : stamped<T>(stored);
  }

  /**
   * The record as before this transaction, and not guarded: for looking around (which address is free, which ports do
   * the neighbours hold). What the decision rests on must be guarded by a `get` of the same record or of one that every
   * writer of it also writes.
   */
  peek<T>(key: Key<T>): T | undefined {
    const stored = this.#view.get(key);
    return stored === undefined ? undefined : stamped<T>(stored);
  }

  /** The revision that last wrote the record; 0 where there is none. */
  revisionOf(key: Key<unknown>): number {
    return this.#view.get(key)?.revision ?? 0;
  }

  put<T>(key: Key<T>, value: T): void {
    if (!this.#seen.has(key)) this.get(key);
    this.#written.set(key, value);
  }

  delete(key: Key<unknown>): void {
    if (!this.#seen.has(key)) this.get(key);
    this.#written.set(key, undefined);
  }

  /** Records under a prefix in key order, as before this transaction. Not guarded: lists are for answers, not decisions. */
  list<T>(prefix: Prefix<T>, page?: Page): Found<T>[] {
    return this.#view.list(prefix, page).map((stored) => ({ key: stored.key, value: stamped<T>(stored) }));
  }

  /** The same without what is in the records' lists: for pages and counts. */
  heads<T>(prefix: Prefix<T>, page?: Page): Found<Head<T>>[] {
    return this.#view.heads(prefix, page).map((stored) => ({ key: stored.key, value: stamped<Head<T>>(stored) }));
  }

  count(prefix: Prefix<unknown>): number {
    return this.#view.count(prefix);
  }

  id(prefix: string): string {
    return cloudId(this.around.rng, prefix);
  }

  /** Refuses with a code the action declares. `throw tx.refuse(…)` reads best at the call site. */
  refuse(code: Code, detail?: string, values?: Readonly<Record<string, string>>): Fault<Code> {
    return new Fault(code, detail, values);
  }

  /** The value, or the domain's refusal thrown. Only faults that the action declares pass the types. */
  must<T, Refused extends Code = never>(decided: T | Fault<Refused>): T {
    if (decided instanceof Fault) throw decided;
    return decided;
  }

  changes(): Change[] {
    return [...this.#written].map(([key, value]) => ({ key, value }));
  }

  guards(): Guard[] {
    return [...this.#seen].map(([key, revision]) => ({ key, revision }));
  }
}
