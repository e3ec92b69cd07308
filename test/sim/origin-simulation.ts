/**
 * An edge's origins under seeded chaos and a clock that stands still between events: real states, schedule, picker and kept
 * file, and around them origins that fail in six ways, clients, an operator and restarts. After every step the invariants
 * (origin-invariants.ts) are asked. The same seed gives the same trace, byte by byte. Parts can be replaced by broken ones.
 */
import type { OriginState, ProbeResult } from '../../src/domain/fact/health.ts';
import type { Checker } from '../../src/domain/load-balancer/checker.ts';
import { keep, type Moment, readKept } from '../../src/edge/health/kept-origins.ts';
import { type OriginChange, OriginHealth } from '../../src/edge/health/origin-health.ts';
import type { Origin } from '../../src/edge/health/origin.ts';
import { checkRule, ProbeSchedule } from '../../src/edge/health/schedule.ts';
import type { Listener, Target } from '../../src/engines/engine.ts';
import { OutcomeTally } from '../../src/engines/flow/outcomes.ts';
import { TargetStates } from '../../src/engines/flow/target-states.ts';
import { RuleTargets } from '../../src/engines/node/targets.ts';
import type { Clock, Timer } from '../../src/lib/clock.ts';
import { type Rng, seededRng } from '../../src/lib/rng.ts';
import { listener } from '../suites/engine/listener.ts';
import { ManualClock } from '../world/manual-clock.ts';
import { OriginInvariants } from './origin-invariants.ts';

type Run = (address: string, checker: Checker) => Promise<ProbeResult>;

/** What is under test. */
export interface Parts {
  readonly health: () => OriginHealth;
  readonly states: () => TargetStates;
  readonly targets: (rule: Listener, states: TargetStates, monotonic: () => number) => RuleTargets;
  readonly schedule: (clock: Clock, run: Run) => ProbeSchedule;
  readonly restored: (kept: unknown, now: Moment) => Origin[];
}

const SOUND: Parts = {
  health: () => new OriginHealth(),
  states: () => new TargetStates(),
  targets: (rule, states, monotonic) => new RuleTargets(rule, states, monotonic),
  schedule: (clock, run) => new ProbeSchedule(clock, run),
  restored: readKept,
};

/** How a dial and a probe end; `late`: after their time-out. `stopped`: the system accepts for the program. */
const CONDITIONS = {
  well: { dial: 'ok', probe: 'healthy', late: false },
  closed: { dial: 'refused', probe: 'unhealthy', late: false },
  dropped: { dial: 'timed-out', probe: 'unhealthy', late: true },
  stopped: { dial: 'ok', probe: 'unhealthy', late: true },
  unseen: { dial: 'refused', probe: 'healthy', late: false },
  mute: { dial: 'ok', probe: 'unknown', late: true },
} as const;
type Condition = keyof typeof CONDITIONS;
const WORDS = Object.keys(CONDITIONS) as Condition[];

const PORT = 1;
const CONNECT_MS = 1_000;
const FLAPS = 20;
const BUSY_MS = 60_000;
/** limit: eight times the good results of the longest check, and the longest hold. */
const QUIET_MS = 110_000;
const usual = { type: 'TCP', port: 80, rise: 2 } as const;
const CHECKERS: readonly (Checker | undefined)[] = [
  { ...usual, intervalSeconds: 1, timeoutSeconds: 1, fall: 1 },
  { ...usual, intervalSeconds: 2, timeoutSeconds: 1, fall: 2 },
  { ...usual, intervalSeconds: 5, timeoutSeconds: 2, fall: 3 },
  undefined,
  undefined,
];

/** An origin as the simulation has it; its number is its place. */
export interface SimOrigin {
  readonly number: number;
  readonly address: string;
  readonly checker: Checker | undefined;
  condition: Condition;
  /** Since when a check of it finds nothing else, or is under way since the edge began. */
  since: number;
}

export interface SimRule {
  readonly listener: Listener;
  readonly targets: readonly Target[];
}

/** One life of the edge's process. */
interface Process {
  readonly health: OriginHealth;
  readonly states: TargetStates;
  readonly schedule: ProbeSchedule;
  readonly tally: OutcomeTally;
  readonly choosers: Map<SimRule, RuleTargets>;
  wake: Timer | undefined;
}

class Simulation {
  readonly trace: string[] = [];
  readonly #clock = new ManualClock();
  readonly #rng: Rng;
  readonly #parts: Parts;
  readonly #origins: readonly SimOrigin[];
  readonly #rules: readonly SimRule[];
  readonly #invariants: OriginInvariants;
  #process: Process;

  constructor(seed: number, parts: Parts) {
    this.#rng = seededRng(seed);
    this.#parts = parts;
    this.#origins = CHECKERS.map((checker, number) => ({
      number,
      address: `192.0.2.${number}`,
      checker,
      condition: 'well',
      since: 0,
    }));
    const all = this.#origins.map(({ number, address }) => ({ number, address, weight: 1 + number, tier: 0 }));
    this.#rules = [
      newRule('all', 0, all),
      newRule('tiers', 0, this.#someTargets()),
      newRule('persists', 30, this.#someTargets()),
    ];
    this.#invariants = new OriginInvariants(this.#origins);
    this.#process = this.#start(undefined);
  }

  async run(): Promise<void> {
    const rng = this.#rng;
    while (this.#clock.monotonic() < BUSY_MS) {
      await this.#pass(1 + rng.below(400));
      const what = rng.below(40);
      if (what < 28) this.#connect(this.#pick(this.#rules), `client-${rng.below(6)}`);
      else if (what < 34) this.#turn(this.#pick(this.#origins), this.#pick(WORDS));
      else if (what === 34) this.#flap(this.#pick(this.#origins));
      else if (what < 38) this.#order(this.#pick(this.#origins));
      else if (rng.below(4) === 0) this.#restart();
      this.#look();
    }
    for (const origin of this.#origins) {
      this.#turn(origin, 'well');
      this.#carryOut(this.#process.health.override(origin.number, undefined, this.#clock.monotonic()));
    }
    for (let ms = 0; ms < QUIET_MS && !this.#invariants.allUp; ms += 500) {
      for (const rule of this.#rules) this.#connect(rule, `client-${rng.below(6)}`);
      await this.#pass(500);
      this.#look();
    }
    this.#process.schedule.close();
    // The longest of what is under way: an origin that was to flap.
    await this.#pass(FLAPS * 1_000);
    this.#invariants.ended(this.#process.health.nextDue(), this.#clock.waiting);
  }

  #someTargets(): Target[] {
    const rng = this.#rng;
    const led = this.#origins.filter(() => rng.below(5) > 0);
    return led.map(({ number, address }) => ({ number, address, weight: rng.below(5), tier: rng.below(2) }));
  }

  #start(kept: unknown): Process {
    const clock = this.#clock;
    const { health: Health, states: States, schedule: Schedule, targets: Targets } = this.#parts;
    const health = Health();
    const states = States();
    const own = (): boolean => this.#process.health === health;
    const tally = new OutcomeTally(clock, {
      outcomes: (batch) => {
        if (own())
          for (const { target, counts } of batch) this.#carryOut(health.outcomes(target, counts, clock.monotonic()));
      },
    });
    const schedule = Schedule(clock, (address, checker) => this.#probe(address, checker));
    schedule.results.listen(({ key, result }) => {
      const target = Number(key);
      this.#invariants.found(target, result.verdict);
      this.#carryOut(health.probe(target, result, clock.monotonic()));
    });
    const choosers = new Map(
      this.#rules.map((rule) => [rule, Targets(rule.listener, states, () => clock.monotonic())]),
    );
    this.#process = { health, states, schedule, tally, choosers, wake: undefined };
    if (kept !== undefined) health.restore(this.#parts.restored(kept, this.#moment()));
    this.#invariants.began();
    for (const { number, address, checker } of this.#origins) {
      const check = checker && checkRule(checker);
      this.#carryOut(health.use({ target: number, name: address, check }, clock.monotonic()));
      if (checker) schedule.ask(`${number}`, address, checker);
    }
    return this.#process;
  }

  #restart(): void {
    const { health, schedule, wake } = this.#process;
    const kept = JSON.parse(JSON.stringify(keep(health.all(), this.#moment()))) as unknown;
    const before = this.#origins.map(({ number }) => health.view(number)?.told.state);
    schedule.close();
    wake?.cancel();
    this.#say('restart');
    for (const origin of this.#origins) origin.since = this.#clock.monotonic();
    this.#start(kept);
    this.#invariants.restarted(before);
  }

  #moment(): Moment {
    return { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
  }

  /** As origin-watch.ts does it: engines first. */
  #carryOut(changes: readonly OriginChange[]): void {
    const { health, states } = this.#process;
    for (const { target, from, state, cause } of changes) {
      this.#say(`${target} ${from} → ${state} by ${cause.by}`);
      this.#invariants.told(target, from, state);
      states.set({ target, state }, this.#clock.monotonic());
    }
    this.#process.wake?.cancel();
    const due = health.nextDue();
    if (due === undefined) return;
    const wait = Math.max(0, Math.ceil(due - this.#clock.monotonic()));
    this.#process.wake = this.#clock.after(wait, () => this.#carryOut(health.due(this.#clock.monotonic())));
  }

  #connect(rule: SimRule, client: string, tried: Set<string> = new Set()): void {
    const { choosers, tally, health } = this.#process;
    const chooser = choosers.get(rule)!;
    const target = chooser.choose(client, PORT, tried);
    this.#invariants.picked(rule, target, tried);
    this.#say(`${rule.listener.id} ${client} → ${target?.number ?? 'nowhere'}`);
    if (!target) return;
    const { dial } = CONDITIONS[this.#origins[target.number]!.condition];
    const ms = dial === 'timed-out' ? CONNECT_MS : 1 + this.#rng.below(20);
    this.#invariants.opened(target.number, 1);
    this.#clock.after(ms, () => {
      if (this.#process.health !== health) return;
      this.#invariants.dialled(target.number, dial);
      tally.note(target.number, dial);
      if (dial === 'ok') {
        chooser.settle(client, target.address);
        this.#clock.after(this.#rng.below(5_000), () => {
          if (this.#process.health === health) this.#invariants.opened(target.number, -1);
        });
        return;
      }
      this.#invariants.opened(target.number, -1);
      chooser.settle(client, undefined);
      this.#connect(rule, client, tried.add(target.address));
    });
  }

  async #probe(address: string, checker: Checker): Promise<ProbeResult> {
    const origin = this.#origins.find((one) => one.address === address)!;
    const ended = this.#invariants.probing(origin, this.#clock.monotonic());
    const { probe, late } = CONDITIONS[origin.condition];
    await this.#clock.sleep(late ? checker.timeoutSeconds * 1_000 : 1 + this.#rng.below(30));
    ended();
    return { verdict: probe, reason: origin.condition };
  }

  #turn(origin: SimOrigin, condition: Condition): void {
    const found = (one: Condition): string => CONDITIONS[one].probe;
    if (found(condition) !== found(origin.condition)) origin.since = this.#clock.monotonic();
    origin.condition = condition;
    this.#say(`${origin.number} is ${condition}`);
  }

  /** Comes and goes once a second. */
  #flap(origin: SimOrigin): void {
    for (let second = 0; second < FLAPS; second++)
      this.#clock.after(second * 1_000, () => {
        if (this.#clock.monotonic() < BUSY_MS) this.#turn(origin, second % 2 === 0 ? 'closed' : 'well');
      });
  }

  /** By hand: for a time, for good, or ended. */
  #order({ number }: SimOrigin): void {
    const rng = this.#rng;
    const at = this.#clock.monotonic();
    const state = ([undefined, 'down', 'up'] as const)[rng.below(3)];
    const word = state && { state, ...(rng.below(4) > 0 && { until: at + rng.below(20_000) }) };
    this.#carryOut(this.#process.health.override(number, word, at));
  }

  async #pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    this.#look();
  }

  #look(): void {
    const at = this.#clock.monotonic();
    this.#invariants.look(at, (number): { state: OriginState; isIll: boolean; isOrdered: boolean } => {
      const { told, verdict, override } = this.#process.health.view(number)!;
      return { state: told.state, isIll: verdict.verdict === 'unhealthy', isOrdered: override !== undefined };
    });
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#rng.below(choices.length)]!;
  }

  #say(what: string): void {
    this.trace.push(`${this.#clock.monotonic()} ${what}`);
  }
}

function newRule(id: string, persistSeconds: number, targets: readonly Target[]): SimRule {
  return { listener: listener({ id, targets, persistSeconds }), targets };
}

/** Gives all that happened, a line each; rejects with a Violation at the first invariant that does not hold. */
export async function originSimulation(seed: number, parts: Partial<Parts> = {}): Promise<string> {
  const simulation = new Simulation(seed, { ...SOUND, ...parts });
  await simulation.run();
  return simulation.trace.join('\n');
}
