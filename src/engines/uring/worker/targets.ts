/**
 * The targets of one rule in one worker: which one takes the next connection or session, which rest, which are barred, which
 * are down (flow/target-states.ts). Asked once per connection and session, so it makes no object. It refuses to dial.
 */
import { parseAddress } from '../../../lib/net/address.ts';
import { isBarred, whyNone } from '../../flow/bars.ts';
import { REST_MS } from '../../flow/behaviour.ts';
import type { TargetStates } from '../../flow/target-states.ts';
import { leavesAt, NEVER } from '../../flow/verdict.ts';
import type { RuleSpec, TargetSpec } from './messages.ts';
import { SharedPersistence } from './persistence.ts';
import { Schedule } from './schedule.ts';
import type { Candidates } from './schedule.ts';

/** A target's number: the same for the same address, in all rules and workers. */
export type TargetNumber = TargetSpec['number'];

/** What a choice asks of a target: that it is up and does not rest, that it is up, nothing. */
const AWAKE = 2;
const UP = 1;
const ANY = 0;

export class RuleTargets {
  /** In network order, by position in the rule's list. */
  addresses: readonly Uint8Array[] = [];
  persistence: SharedPersistence | undefined;
  /** The cause of a connection's end, and the reason for dropping a datagram, where no target can be chosen. */
  whyNone: ReturnType<typeof whyNone> = 'no-origin';
  #spec: RuleSpec;
  /** By number, and by former ones. */
  #positions: ReadonlyMap<TargetNumber, number> = new Map();
  /** Until when a target takes no new UDP session, by position; and the latest of these times. */
  #restUntil = new Float64Array();
  #restsUntil = 0;
  readonly #states: TargetStates;
  #schedule: Schedule;
  /** By position: the turn that it is in, tier by tier. By tier: whether a target of it has failed the client. */
  #tiers = new Int32Array();
  #isSpent = new Uint8Array();
  /** The choice in hand: what it asks of a target, and its arguments. */
  #demand: typeof AWAKE | typeof UP | typeof ANY = ANY;
  #now = 0;
  #port = 0;
  #tried: ReadonlySet<TargetNumber> | undefined;
  /** It asks for another tier than those of `#tried`. */
  #asksOtherTier = false;
  readonly #candidates: Candidates = {
    may: (position) => this.#may(position),
    admits: (position) => this.#demand === ANY || this.#states.admits(this.#spec.targets[position]!.number),
    isWhole: (position) => this.#states.isWhole(this.#spec.targets[position]!.number),
    takes: (position) => this.#takes(position),
  };

  /** Has no target before the first update(). */
  constructor(spec: RuleSpec, states: TargetStates) {
    this.#spec = spec;
    this.#states = states;
    this.#schedule = new Schedule([], spec.position);
  }

  /** The rule's targets from now on; those that rest go on resting, and one that has another number now keeps its clients. */
  update(spec: RuleSpec): void {
    const { targets } = spec;
    const before = new Map(this.#spec.targets.map(({ address }, position) => [address, position]));
    this.#restUntil = Float64Array.from(targets, ({ address }) => this.#restUntil[before.get(address) ?? -1] ?? 0);
    this.#positions = positionsOf(targets, this.#positions, this.#spec.targets);
    this.#spec = spec;
    this.#schedule = new Schedule(spec.turns, spec.position);
    this.#tiers = new Int32Array(targets.length);
    for (const [tier, turn] of spec.turns.entries()) for (const position of turn) this.#tiers[position] = tier;
    this.#isSpent = new Uint8Array(spec.turns.length);
    this.addresses = targets.map(({ address }) => parseAddress(address) ?? new Uint8Array(4));
    this.persistence = spec.persistence && new SharedPersistence(spec.persistence, spec.persistSeconds);
    this.whyNone = whyNone(targets);
  }

  /**
   * The position of the target for a new connection or session, to be dialled at `port`; −1: there is none. The client's
   * address lies in `memory`. `tried`: targets that have failed this client.
   */
  choose(
    memory: Uint8Array,
    at: number,
    size: number,
    now: number,
    port: number,
    tried?: ReadonlySet<TargetNumber>,
  ): number {
    this.#now = now;
    this.#port = port;
    this.#tried = tried;
    this.#demand = AWAKE;
    const kept = this.persistence?.recall(memory, at, size, now) ?? -1;
    const own = (kept < 0 ? undefined : this.#positions.get(kept)) ?? -1;
    if (this.#keeps(own)) return own;
    const awake = this.#restsUntil > now ? this.#schedule.next(this.#candidates) : -1;
    if (awake >= 0) return awake;
    this.#demand = UP;
    const up = this.#next();
    if (up >= 0) return up;
    this.#demand = ANY;
    return this.#keeps(own) ? own : this.#next();
  }

  /** The target's host says that no socket listens there: for a while it takes new sessions only where no other one can. */
  rest(target: TargetNumber, now: number): void {
    const position = this.#positions.get(target);
    if (position !== undefined) this.#restUntil[position] = this.#restsUntil = now + REST_MS;
  }

  /** Whether another target than this one takes new sessions; one that is down does where none is up. */
  hasOther(target: TargetNumber, port: number, now: number): boolean {
    const { targets } = this.#spec;
    const needsUp = this.#someUp(port);
    const own = this.#positions.get(target);
    for (let position = 0; position < targets.length; position++) {
      const isFit = !needsUp || this.#states.isUp(targets[position]!.number);
      if (position !== own && isFit && this.#takesNew(position, port, now)) return true;
    }
    return false;
  }

  /** Whether a session with this target is to go to another: the target is down, and one that is not can take it. */
  mustLeave(target: TargetNumber, port: number, now: number): boolean {
    const known = this.get(target);
    if (known === undefined || !this.#states.isLeft(known.number)) return false;
    return this.#someUp(port) && this.hasOther(target, port, now);
  }

  /** When a TCP connection with this target has to end because it is down and another one is up; NEVER: it stays. */
  leavesAt(target: TargetNumber, port: number, startedAt: number): number {
    const known = this.get(target);
    const since = known === undefined ? NEVER : this.#states.downSince(known.number);
    if (since === NEVER) return NEVER;
    const at = leavesAt(since, startedAt, this.#spec.options);
    return at < NEVER && this.#someUp(port) ? at : NEVER;
  }

  /** As the rule has it now, which may be under another number; undefined: the rule has it no more. */
  get(target: TargetNumber): TargetSpec | undefined {
    return this.#spec.targets[this.#positions.get(target) ?? -1];
  }

  /** Whether the target's name no longer says its address. */
  hasLeft(target: TargetNumber): boolean {
    return this.get(target)?.left === true;
  }

  /** The next position; where a dial has failed and the rule says so, of another tier, if it has one. */
  #next(): number {
    if (this.#tried === undefined || this.#spec.failover === 'origin') return this.#schedule.next(this.#candidates);
    this.#isSpent.fill(0);
    for (const number of this.#tried) this.#isSpent[this.#tiers[this.#positions.get(number) ?? -1] ?? -1] = 1;
    this.#asksOtherTier = true;
    const elsewhere = this.#schedule.next(this.#candidates);
    this.#asksOtherTier = false;
    return elsewhere >= 0 ? elsewhere : this.#schedule.next(this.#candidates);
  }

  #takesNew(position: number, port: number, now: number): boolean {
    const target = this.#spec.targets[position]!;
    return target.weight > 0 && !isBarred(target, port) && this.#restUntil[position]! <= now;
  }

  #someUp(port: number): boolean {
    const { targets } = this.#spec;
    for (let position = 0; position < targets.length; position++) {
      const target = targets[position]!;
      if (target.weight > 0 && !isBarred(target, port) && this.#states.isUp(target.number)) return true;
    }
    return false;
  }

  /** Of the choice in hand. */
  #may(position: number): boolean {
    const target = this.#spec.targets[position]!;
    if (isBarred(target, this.#port) || this.#tried?.has(target.number) === true) return false;
    if (this.#asksOtherTier && this.#isSpent[this.#tiers[position]!] === 1) return false;
    if (this.#demand === ANY) return true;
    if (this.#demand === AWAKE && this.#restUntil[position]! > this.#now) return false;
    return !this.#states.isShut(target.number);
  }

  /** Whether the client's own target takes it again; −1: it has none. */
  #keeps(own: number): boolean {
    return own >= 0 && this.#spec.targets[own]!.weight > 0 && this.#takes(own);
  }

  #takes(position: number): boolean {
    if (!this.#may(position)) return false;
    return this.#demand === ANY || this.#states.take(this.#spec.targets[position]!.number);
  }
}

/** limit: numbers that a rule's targets had before; session persistence finds clients of more no more. */
const MOST_FORMER = 1_024;

/** A number that was an address's leads to it still, as long as the rule has the address and no other target that number. */
function positionsOf(
  targets: readonly TargetSpec[],
  before: ReadonlyMap<TargetNumber, number>,
  former: readonly TargetSpec[],
): ReadonlyMap<TargetNumber, number> {
  const positions = new Map(targets.map(({ number }, position) => [number, position]));
  const byAddress = new Map(targets.map(({ address }, position) => [address, position]));
  const most = targets.length + MOST_FORMER;
  for (const [number, was] of before) {
    const position = byAddress.get(former[was]!.address);
    if (position !== undefined && !positions.has(number) && positions.size < most) positions.set(number, position);
  }
  return positions;
}
