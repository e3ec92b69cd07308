/**
 * When each check of an edge is due. One wheel turns for all of them: its slots are short, a check lies in one, and a tick costs
 * what lies in the slots that have passed. A check that is slow holds no other up, because nothing waits for it. It judges nothing,
 * and does not know who asks. Called by checks.ts.
 *
 *     ask(key, address, checker)   first probe at once
 *     leave(key)                   its results are told no more
 *     hasten(key)                  one probe soon: traffic says that the origin is in trouble
 *     results                      told as they come
 */
import { createHash } from 'node:crypto';
import type { ProbeResult } from '../../domain/fact/health.ts';
import type { Checker } from '../../domain/load-balancer/checker.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import { Signal } from '../../lib/signal.ts';
import type { CheckRule } from './check-verdict.ts';

interface Checked {
  readonly key: string;
  readonly result: ProbeResult;
  /** How long the probe took, and how much later than planned it began. */
  readonly ms: number;
  readonly lagMs: number;
}

/** Makes one probe; how it is bounded in time is its own business. */
export type Run = (address: string, checker: Checker) => Promise<ProbeResult>;

interface Entry {
  readonly key: string;
  readonly address: string;
  readonly checker: Checker;
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

/** Made once for each checker, which many origins share and which is asked for at each change of one. */
const RULES = new WeakMap<Checker, CheckRule>();

/** The check as the states of its origin know it. Equal for equal checkers, whatever they contain. */
export function checkRule(checker: Checker): CheckRule {
  const known = RULES.get(checker);
  if (known) return known;
  const { type, intervalSeconds, rise, fall } = checker;
  const key = `${type} ${digest(JSON.stringify(checker)).toString('base64url')}`;
  const rule = { key, intervalMs: intervalSeconds * 1_000, rise, fall };
  RULES.set(checker, rule);
  return rule;
}

export class ProbeSchedule {
  readonly results = new Signal<Checked>();
  readonly #clock: Clock;
  readonly #run: Run;
  readonly #entries = new Map<string, Entry>();
  readonly #slots = new Map<number, Set<Entry>>();
  #turned: number;
  #timer: Timer | undefined;

  constructor(clock: Clock, run: Run) {
    this.#clock = clock;
    this.#run = run;
    this.#turned = this.#slotNow();
  }

  /** The same key, the same address and checker; may be called twice. */
  ask(key: string, address: string, checker: Checker): void {
    if (!this.#entries.has(key)) this.#begin(key, address, checker);
  }

  /** Unknown keys are fine. */
  leave(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#takeOut(entry);
    if (this.#entries.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  hasten(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    const soon = this.#clock.monotonic() + fastMs(entry.checker);
    // A probe that is under way began before the trouble, perhaps.
    if (entry.due === undefined) entry.isHasty = true;
    else if (soon < entry.due) this.#put(entry, soon);
  }

  close(): void {
    for (const key of this.#entries.keys()) this.leave(key);
  }

  #begin(key: string, address: string, checker: Checker): void {
    const phaseMs = digest(key).readUInt32BE(0) % (checker.intervalSeconds * 1_000);
    const entry: Entry = {
      key,
      address,
      checker,
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
    const { key, address, checker } = entry;
    const start = this.#clock.monotonic();
    const lagMs = start - (entry.due ?? start);
    this.#takeOut(entry);
    const result = await this.#run(address, checker);
    if (this.#entries.get(key) !== entry) return;
    entry.failures = result.verdict === 'unhealthy' ? entry.failures + 1 : 0;
    this.#put(entry, this.#nextDue(entry, start));
    this.results.tell({ key, result, ms: this.#clock.monotonic() - start, lagMs });
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
