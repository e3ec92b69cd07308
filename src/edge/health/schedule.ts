/**
 * When each check of an edge is due. One wheel turns for all of them: its slots are short, a check lies in one, and a tick costs
 * what lies in the slots that have passed. An address and a checker are probed once for all origins that ask. A check that is slow
 * holds no other up, because nothing waits for it. It judges nothing. Called by the agent's health part.
 *
 *     ask(target, address, checker)   first probe at once; a target has one check, and asks again for another
 *     leave(target)                   its results are told no more
 *     hasten(target)                  one probe soon: traffic says that the origin is in trouble
 *     results                         told as they come, with all targets that ask
 */
import { createHash } from 'node:crypto';
import type { ProbeResult } from '../../domain/fact/health.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { Signal } from '../../lib/signal.ts';
import type { CheckRule } from './check-verdict.ts';

export interface Checked {
  /** Every target that asks for this check. */
  readonly targets: ReadonlySet<number>;
  readonly result: ProbeResult;
  /** How long the probe took, and how much later than planned it began. */
  readonly ms: number;
  readonly lagMs: number;
}

type Run = (address: string, checker: Checker) => Promise<ProbeResult>;

interface Entry {
  readonly key: string;
  readonly address: string;
  readonly checker: Checker;
  readonly targets: Set<number>;
  /** Where in its interval it is probed, so that checks that came together do not stay together. */
  readonly phaseMs: number;
  /** When it is due; undefined while it is probed, or once nobody asks. */
  due: number | undefined;
  failures: number;
  isHasty: boolean;
}

const SLOT_MS = 50;
/** limit: first probes of many checks that come at once: two thousand a second. */
const MOST_FIRST = 100;
/** limit: a check that has failed is tried again no sooner. */
const FAST_MS = 1_000;

/** The check as the states of its origin know it. Equal for equal checkers, whatever they contain. */
export function checkRule(checker: Checker): CheckRule {
  const { type, intervalSeconds, rise, fall } = checker;
  return {
    key: `${type} ${digest(JSON.stringify(checker)).toString('base64url')}`,
    intervalMs: intervalSeconds * 1_000,
    rise,
    fall,
  };
}

export class ProbeSchedule {
  readonly results = new Signal<Checked>();
  readonly #clock: Clock;
  readonly #run: Run;
  readonly #entries = new Map<string, Entry>();
  readonly #asked = new Map<number, Entry>();
  readonly #slots = new Map<number, Set<Entry>>();
  #turned: number;
  #timer: Timer | undefined;

  /** `run` makes one probe; how it is bounded in time is its own business. */
  constructor(clock: Clock, run: Run) {
    this.#clock = clock;
    this.#run = run;
    this.#turned = this.#slotNow();
  }

  /** May be called twice. */
  ask(target: number, address: string, checker: Checker): void {
    const key = `${address} ${checkRule(checker).key}`;
    if (this.#asked.get(target)?.key === key) return;
    this.leave(target);
    const entry = this.#entries.get(key) ?? this.#begin(key, address, checker);
    entry.targets.add(target);
    this.#asked.set(target, entry);
  }

  /** Unknown targets are fine. */
  leave(target: number): void {
    const entry = this.#asked.get(target);
    this.#asked.delete(target);
    entry?.targets.delete(target);
    if (!entry || entry.targets.size > 0) return;
    this.#entries.delete(entry.key);
    this.#takeOut(entry);
    if (this.#entries.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  hasten(target: number): void {
    const entry = this.#asked.get(target);
    if (!entry) return;
    const soon = this.#clock.monotonic() + fastMs(entry.checker);
    // A probe that is under way began before the trouble, perhaps.
    if (entry.due === undefined) entry.isHasty = true;
    else if (soon < entry.due) this.#put(entry, soon);
  }

  close(): void {
    for (const target of this.#asked.keys()) this.leave(target);
  }

  #begin(key: string, address: string, checker: Checker): Entry {
    const phaseMs = digest(key).readUInt32BE(0) % (checker.intervalSeconds * 1_000);
    const entry: Entry = {
      key,
      address,
      checker,
      targets: new Set(),
      phaseMs,
      due: undefined,
      failures: 0,
      isHasty: false,
    };
    this.#entries.set(key, entry);
    if (!this.#timer) {
      this.#turned = this.#slotNow();
      this.#timer = this.#clock.every(SLOT_MS, () => this.#turn());
    }
    let slot = this.#turned + 1;
    while ((this.#slots.get(slot)?.size ?? 0) >= MOST_FIRST) slot++;
    this.#put(entry, slot * SLOT_MS);
    return entry;
  }

  #slotNow(): number {
    return Math.floor(this.#clock.monotonic() / SLOT_MS);
  }

  #put(entry: Entry, due: number): void {
    this.#takeOut(entry);
    const slot = this.#slotOf(due);
    const lying = this.#slots.get(slot) ?? new Set();
    lying.add(entry);
    this.#slots.set(slot, lying);
    entry.due = due;
  }

  #takeOut(entry: Entry): void {
    if (entry.due === undefined) return;
    const slot = this.#slotOf(entry.due);
    const lying = this.#slots.get(slot);
    lying?.delete(entry);
    if (lying?.size === 0) this.#slots.delete(slot);
    entry.due = undefined;
  }

  #slotOf(due: number): number {
    return Math.ceil(due / SLOT_MS);
  }

  #turn(): void {
    for (const now = this.#slotNow(); this.#turned < now;) {
      const lying = this.#slots.get(++this.#turned);
      for (const entry of lying ?? []) void this.#probe(entry);
    }
  }

  async #probe(entry: Entry): Promise<void> {
    const { address, checker, targets } = entry;
    const start = this.#clock.monotonic();
    const lagMs = start - (entry.due ?? start);
    this.#takeOut(entry);
    const result = await this.#run(address, checker);
    if (this.#entries.get(entry.key) !== entry) return;
    entry.failures = result.verdict === 'unhealthy' ? entry.failures + 1 : 0;
    this.#put(entry, this.#nextDue(entry, start));
    this.results.tell({ targets, result, ms: this.#clock.monotonic() - start, lagMs });
  }

  /** At its phase in the next interval; sooner while failures are counted, and where traffic asked for it. */
  #nextDue(entry: Entry, start: number): number {
    const { checker, failures, phaseMs, isHasty } = entry;
    const soonest = (this.#turned + 1) * SLOT_MS;
    entry.isHasty = false;
    if (isHasty || (failures > 0 && failures < checker.fall)) return Math.max(start + fastMs(checker), soonest);
    const intervalMs = checker.intervalSeconds * 1_000;
    // Never later than an interval after the last one; after a fast one a little sooner.
    const turns = Math.floor((start - phaseMs) / intervalMs) + 1;
    return Math.max(turns * intervalMs + phaseMs, soonest);
  }
}

function fastMs({ intervalSeconds, timeoutSeconds }: Checker): number {
  return Math.min(intervalSeconds * 1_000, Math.max(FAST_MS, timeoutSeconds * 1_000));
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest().subarray(0, 12);
