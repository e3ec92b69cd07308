/**
 * The checks of an edge: who asks for each, and what it says. One address and one checker are one check, whatever the number of
 * origins and pools that ask for it. It tells results to the origins (origin-health.ts judges them) and keeps a verdict per
 * check, which is what control hears. It dials nothing, and schedule.ts says when. OriginWatch owns one.
 *
 *     ask(origin, known)   the origin is checked so from now on, or not at all; `known`: what its check has said before
 *     leave(number)        the origin is no more
 *     pool(pool)           members of a balancer or group, checked as long as no rule's origin has a check of the same owner
 *     hasten(number)       one probe soon: traffic says that the origin is in trouble
 *     results              told as they come, with all origins that ask; to one that joins, what is known
 *     changed              the key of a check of which facts() says something else now
 *     shared               what others find, and whether this edge probes as well: where that may be different
 *     probed               each probe: how long it took, and how late it began
 */
import { checkName, type CheckFact, type ProbeResult } from '../../domain/fact/health.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { Signal } from '../../lib/signal.ts';
import type { NumberedOrigin } from '../origins/numbers.ts';
import type { PoolMember, ResolvedPool } from '../origins/pools.ts';
import { afterResult, type CheckRule, type CheckVerdict, UNCHECKED } from './check-verdict.ts';
import type { Others, OthersWord } from './others.ts';
import { ProbeTimes } from './probe-times.ts';
import { checkRule, ProbeSchedule, type Run } from './schedule.ts';

/** Of whom, by number: an origin of rules; by text: a member of a pool. */
type Asking = number | string;
type Asker = PoolMember & { readonly owner: string };

interface Check {
  readonly key: string;
  readonly address: string;
  readonly checker: Checker;
  readonly rule: CheckRule;
  readonly askers: Map<Asking, Asker>;
  readonly times: ProbeTimes;
  /** This edge probes it; else others do. */
  isProbed: boolean;
  /** By its own probes. */
  verdict: CheckVerdict;
  /** In words, of the result that made the verdict. */
  reason: string;
}

interface Pool {
  readonly pool: ResolvedPool;
  readonly asking: ReadonlySet<string>;
  /** Until it may ask. */
  readonly timer: Timer | undefined;
}

interface Results {
  readonly targets: readonly number[];
  readonly result: ProbeResult;
}

/** What others find of the check that these origins have. */
interface Shared {
  readonly targets: readonly number[];
  readonly word: OthersWord | undefined;
  /** This edge probes as well. */
  readonly isOwn: boolean;
}

/** limit: a pool waits so long for the rules that lead to it: they may know how its origins want to be asked. */
const POOL_MS = 2_000;

export class Checks {
  readonly results = new Signal<Results>();
  readonly changed = new Signal<string>();
  readonly shared = new Signal<readonly Shared[]>();
  readonly #clock: Clock;
  readonly #schedule: ProbeSchedule;
  readonly #others: Others;
  readonly #checks = new Map<string, Check>();
  readonly #asked = new Map<Asking, Check>();
  readonly #pools = new Map<string, Pool>();
  /** Numbers of the origins that are checked, by the owner of the check. */
  readonly #byOwner = new Map<string, Set<number>>();

  constructor(clock: Clock, run: Run, others: Others) {
    this.#clock = clock;
    this.#others = others;
    others.changed.listen((keys) => {
      const checks = keys ? keys.flatMap((key) => this.#checks.get(key) ?? []) : [...this.#checks.values()];
      this.shared.tell(checks.map((check) => this.#share(check)));
    });
    this.#schedule = new ProbeSchedule(clock, run);
    this.#schedule.results.listen(({ key, result, ms }) => this.#hear(key, result, ms));
  }

  /** May be called twice. */
  ask({ number, group, host, address, check }: NumberedOrigin, known: CheckVerdict): void {
    if (!check) return this.leave(number);
    const { owner, checker } = check;
    const isNew = this.#join(number, { owner, group, host, address }, checker, known);
    const origins = this.#byOwner.get(owner) ?? new Set();
    this.#byOwner.set(owner, origins.add(number));
    // order: after the origin has asked, so that a check that both ask for goes on.
    this.#settle(owner);
    const {
      verdict: { verdict, isFresh },
      reason,
    } = this.#asked.get(number)!;
    if (isNew && known.isFresh && !isFresh) this.results.tell({ targets: [number], result: { verdict, reason } });
    if (isNew) this.shared.tell([this.#sharedWith(this.#asked.get(number)!, [number])]);
  }

  /** Unknown numbers are fine. */
  leave(number: number): void {
    const owner = this.#asked.get(number)?.askers.get(number)?.owner;
    if (owner === undefined) return;
    const origins = this.#byOwner.get(owner);
    origins?.delete(number);
    if (origins?.size === 0) this.#byOwner.delete(owner);
    this.#settle(owner);
    this.#part(number);
  }

  /** In place of what the owner's pool was before. */
  pool(pool: ResolvedPool): void {
    const { owner } = pool.check;
    const before = this.#pools.get(owner);
    before?.timer?.cancel();
    const isWaiting = !before || before.timer !== undefined;
    const timer = isWaiting ? this.#clock.after(POOL_MS, () => this.#begin(owner)) : undefined;
    this.#pools.set(owner, { pool, asking: before?.asking ?? new Set(), timer });
    this.#settle(owner);
    if (pool.members.length > 0) return;
    timer?.cancel();
    this.#pools.delete(owner);
  }

  /** One that is not checked is fine. */
  hasten(number: number): void {
    const check = this.#asked.get(number);
    if (check) this.#schedule.hasten(check.key);
  }

  get probed(): ProbeSchedule['results'] {
    return this.#schedule.results;
  }

  keys(): Iterable<string> {
    return this.#checks.keys();
  }

  /** One for each owner, group and host that ask for it; none: it says nothing yet, or is no more. */
  facts(key: string): CheckFact[] {
    const check = this.#checks.get(key);
    if (!check || check.verdict.isFresh) return [];
    const {
      address,
      rule,
      reason,
      verdict: { verdict },
    } = check;
    const facts = new Map<string, CheckFact>();
    for (const { owner, group, host } of check.askers.values())
      facts.set(JSON.stringify([owner, group, host]), {
        owner,
        group,
        host,
        address,
        check: rule.key,
        verdict,
        reason,
      });
    return [...facts.values()];
  }

  /** Of the check of this origin; undefined: it is not checked. */
  times(number: number): ProbeTimes | undefined {
    return this.#asked.get(number)?.times;
  }

  close(): void {
    for (const { timer } of this.#pools.values()) timer?.cancel();
    this.#schedule.close();
  }

  #begin(owner: string): void {
    const waiting = this.#pools.get(owner);
    if (waiting) this.#pools.set(owner, { ...waiting, timer: undefined });
    this.#settle(owner);
  }

  /** Has the members of the owner's pool ask, or ask no more. */
  #settle(owner: string): void {
    const kept = this.#pools.get(owner);
    if (!kept) return;
    const { pool, timer } = kept;
    const members = timer || this.#byOwner.has(owner) ? [] : pool.members;
    const asking = new Set<string>();
    for (const { group, host, address } of members) {
      const id = JSON.stringify([owner, group, host, address]);
      asking.add(id);
      this.#join(id, { owner, group, host, address }, pool.check.checker, UNCHECKED);
    }
    for (const id of kept.asking) if (!asking.has(id)) this.#part(id);
    this.#pools.set(owner, { ...kept, asking });
  }

  /** True: it did not ask for this check before. */
  #join(id: Asking, asker: Asker, checker: Checker, known: CheckVerdict): boolean {
    const rule = checkRule(checker);
    const { address } = asker;
    const key = checkName(address, rule.key);
    const before = this.#asked.get(id);
    let check = this.#checks.get(key);
    if (!check) {
      const reason = known.isFresh ? '' : 'as it was found before the edge started anew';
      const isProbed = this.#others.probes(key, rule.intervalMs);
      const verdict = isProbed ? known : rested(known);
      const counts = { askers: new Map(), times: new ProbeTimes() };
      check = { key, address, checker, rule, ...counts, isProbed, verdict, reason };
      this.#checks.set(key, check);
      if (isProbed) this.#schedule.ask(key, address, checker);
    }
    check.askers.set(id, asker);
    if (before !== check) {
      this.#part(id);
      this.#asked.set(id, check);
    }
    this.changed.tell(key);
    return before !== check;
  }

  #part(id: Asking): void {
    const check = this.#asked.get(id);
    if (!check) return;
    this.#asked.delete(id);
    check.askers.delete(id);
    if (check.askers.size === 0) {
      this.#checks.delete(check.key);
      this.#schedule.leave(check.key);
      this.#others.forget(check.key);
    }
    this.changed.tell(check.key);
  }

  /** Who probes it, and what others find, as it is now. */
  #share(check: Check): Shared {
    const { key, address, checker, rule } = check;
    const isProbed = this.#others.probes(key, rule.intervalMs);
    if (isProbed && !check.isProbed) this.#schedule.ask(key, address, checker);
    if (!isProbed && check.isProbed) {
      this.#schedule.leave(key);
      check.verdict = rested(check.verdict);
      this.changed.tell(key);
    }
    check.isProbed = isProbed;
    return this.#sharedWith(check, targetsOf(check));
  }

  #sharedWith({ key, rule, isProbed }: Check, targets: readonly number[]): Shared {
    return { targets, word: this.#others.word(key, rule.intervalMs), isOwn: isProbed };
  }

  #hear(key: string, result: ProbeResult, ms: number): void {
    const check = this.#checks.get(key);
    if (!check) return;
    const { rule, verdict: before } = check;
    check.times.add(ms);
    check.verdict = afterResult(before, result.verdict, rule.rise, rule.fall);
    if (before.isFresh || before.verdict !== check.verdict.verdict) {
      check.reason = result.reason;
      this.changed.tell(key);
    }
    const targets = targetsOf(check);
    if (targets.length > 0) this.results.tell({ targets, result });
  }
}

function targetsOf({ askers }: Check): number[] {
  return [...askers.keys()].filter((id) => typeof id === 'number');
}

/** It is not probed here any more: the first result, when it is again, decides alone. */
function rested(verdict: CheckVerdict): CheckVerdict {
  return { ...verdict, isFresh: true, run: 0 };
}
